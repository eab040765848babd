import "./signer.ts";
