/** Addresses of this machine that no other reaches. */
const names = new Set(['127.0.0.1', 'localhost', '[::1]', '::1'])
export const isLoopback = (host: string): boolean => names.has(host)

/** Nobody on the way to an address reads what is sent there: over TLS, or not leaving this machine. */
export const travelsUnread = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
