// The equivalent of driver.py for Node: node driver.cjs ARTIFACT HANDLER EVENTS REPORT
const fs = require("fs");
const https = require("https");
const path = require("path");

const context = {
  functionName: "provider",
  awsRequestId: "5e0b0c7e-3d5b-4b0e-9d3c-000000000001",
  logGroupName: "/aws/lambda/provider",
  logStreamName: "2026/01/01/[$LATEST]0123456789abcdef",
  getRemainingTimeInMillis: () => 300000,
};

async function main(artifact, handler, events, report) {
  const [file, name] = handler.split(".");
  const run = require(path.join(artifact, file))[name];
  const asked = JSON.parse(fs.readFileSync(events));
  // CDK's handler ignores the port in the URL and uses the default one.
  https.globalAgent.defaultPort = new URL(asked[0].ResponseURL).port;
  const seconds = [];
  for (const event of asked) {
    const begin = performance.now();
    await run(event, context);
    seconds.push((performance.now() - begin) / 1000);
  }
  const peak = fs.readFileSync("/proc/self/status", "ascii").match(/VmHWM:\s+(\d+)/)[1];
  fs.writeFileSync(report, JSON.stringify({ seconds, peak_kilobytes: Number(peak) }));
  process.exit(0);
}

main(...process.argv.slice(2));
