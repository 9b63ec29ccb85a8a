// Draws the diagrams of a page. They have a light background in both themes.
mermaid.initialize({ startOnLoad: true, theme: "neutral", fontFamily: "system-ui, sans-serif" });
