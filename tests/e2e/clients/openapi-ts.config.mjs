// How @hey-api/openapi-ts makes its client: imports with the extension that Node wants.
export default {
  input: process.env.DOCUMENT,
  output: { path: "hey", module: { extension: ".js" } },
};
