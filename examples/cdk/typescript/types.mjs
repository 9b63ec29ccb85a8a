// Writes properties.d.ts from the provider's JSON Schema: names as they are there, and the CDK's tokens for functions.
import { readFileSync, writeFileSync } from "node:fs";
import { compile } from "json-schema-to-typescript";

const schema = JSON.parse(readFileSync(process.argv.at(-1), "utf-8"));
delete schema.oneOf; // Name or an ARN: TypeScript would open the type to any name
schema.$defs.Function = { tsType: "IResolvable" };
const bannerComment = 'import type { IResolvable } from "aws-cdk-lib";';
writeFileSync("properties.d.ts", await compile(schema, "Properties", { bannerComment }));
