// Draws the diagrams of a page. They have a light background in both themes. On a phone, they keep their size and scroll.
const useMaxWidth = window.innerWidth > 600;
mermaid.initialize({
  startOnLoad: true,
  theme: "neutral",
  fontFamily: "system-ui, sans-serif",
  flowchart: { useMaxWidth, wrappingWidth: 280 },
  sequence: { useMaxWidth, wrap: true, width: 125, actorMargin: 12 },
});
