/** The address of the studio that others can type. */
import { networkInterfaces } from 'node:os'

const anyAddress = new Set(['0.0.0.0', '::', '::0', '0:0:0:0:0:0:0:0'])

/**
 * @param host  that the server listens on; of "all addresses" the first one of this machine that others reach, or this
 *   machine itself where it has none
 * @returns `http://192.0.2.7:4870`
 */
export function reachableAddress(host: string, port: number, interfaces = networkInterfaces()): string {
  const name = anyAddress.has(host) ? firstAddress(interfaces) : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

function firstAddress(interfaces: ReturnType<typeof networkInterfaces>): string {
  const outward = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:') && !address.startsWith('169.254.'))
  const [first] = [...outward.filter(({ family }) => family === 'IPv4'), ...outward]
  return first?.address ?? '127.0.0.1'
}
