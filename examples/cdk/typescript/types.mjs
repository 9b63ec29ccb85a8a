// Writes properties.d.ts from the provider's JSON Schema, with the CDK's tokens in place of intrinsic functions.
import { readFileSync, writeFileSync } from "node:fs";
import { compile } from "json-schema-to-typescript";

const schema = JSON.parse(readFileSync(process.argv.at(-1), "utf-8"));
delete schema.oneOf; // With "Name or an ARN", the generated type would allow any property
schema.$defs.Function = { tsType: "IResolvable" };
const bannerComment = 'import type { IResolvable } from "aws-cdk-lib";';
writeFileSync("properties.d.ts", await compile(schema, "Properties", { bannerComment }));
