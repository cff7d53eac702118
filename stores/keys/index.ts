export type { AwsCredentials } from "./aws-root.ts";
export { awsRoot } from "./aws-root.ts";
export { createFileKeyStore } from "./file-key-store.ts";
export { pkcs11Root } from "./pkcs11-root.ts";
export { isKeyFile, keysIn } from "./saving.ts";
