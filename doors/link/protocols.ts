/**
 * What an edge offers in ALPN (RFC 7301), and nobody else: by it the one HTTPS port knows who shows a certificate of its own, and is shown
 * the one that edges pin. Of the two, `calls` is HTTP/1.1, and `transfer` this folder's own.
 */
export const linkProtocols = { calls: "leadglass-edge/1", transfer: "leadglass-link/1" } as const;
