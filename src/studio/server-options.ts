/** Of each connection. How long the body of a request may take, its size says: see server/bodies.ts. */
export const serverOptions = { headersTimeout: 20_000, requestTimeout: 3_600_000, connectionsCheckingInterval: 5000 }
