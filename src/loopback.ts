/** Addresses of this machine that no other reaches. */
const names = new Set(['127.0.0.1', 'localhost', '[::1]', '::1'])
export const isLoopback = (host: string): boolean => names.has(host)
