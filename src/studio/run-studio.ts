/** `studio`: the whole loop in the browser. */
import { rmSync } from 'node:fs'
import { serve, type ServerType } from '@hono/node-server'
import { z } from 'zod'
import { optionalText } from '../config-fields.ts'
import { addressTaken } from '../address-taken.ts'
import { ConfigError } from '../errors.ts'
import { readAdmins } from '../feedback/raters/raters.ts'
import { signedIn } from '../feedback/raters/sessions.ts'
import { writeFileAtomic } from '../files.ts'
import { takeLock, lockName } from '../run-lock.ts'
import { isLoopback } from '../loopback.ts'
import { defaultModel } from '../model-names.ts'
import { cpuId, devicesOf, findGpus, type Device, type FoundGpus } from './devices/devices.ts'
import { invite, linkOf } from './server/accounts.ts'
import { studioApp } from './server/app.ts'
import { reachableAddress } from './server/reachable.ts'
import { addressName, adminName, type Address } from './server/address.ts'
import { openStudio, type OpenedStudio } from './open-studio.ts'
import { openWorkspace } from './workspace.ts'
import { worldOf } from './worlds.ts'

export const StudioConfig = z.strictObject({
  workspace: z.string().min(1).default('runs/studio').describe('Folder of the studio: its images, judgments and runs.'),
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to listen on. Anything but this machine itself asks for accounts; 0.0.0.0 is all addresses.'),
  port: z.int().min(0).max(65535).default(4870).describe('Port to listen on; 0 takes a free one.'),
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .transform((url) => new URL(url).origin)
    .nullable()
    .default(null)
    .describe(
      'Address by which others reach it through a reverse proxy, https://studio.example. Asks for accounts, and believes the proxy about who calls.',
    ),
  database: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'postgres://user:password@host/name')
    .nullable()
    .default(null)
    .describe('PostgreSQL database of the judgments, postgres://…; a SQLite file in the workspace without it.'),
  model: z
    .string()
    .min(1)
    .default(defaultModel)
    .describe(
      'The pre-trained model: shapes, which is embedded, a folder in diffusers’ layout, or owner/name in the Hugging Face cache.',
    ),
  encoder: optionalText.describe(
    'CLIPModel whose embeddings rewards read; the model’s own without it, which shapes alone has.',
  ),
  devices: z
    .array(z.string().regex(/^(cpu|cuda:\d+)$/))
    .min(1)
    .nullable()
    .default(null)
    .meta({
      description: 'Devices that jobs may have, such as cuda:0,cuda:1; all of the machine without it.',
      expected: 'cpu, and GPUs as cuda:0,cuda:1',
    }),
  cpuJobs: z
    .int()
    .positive()
    .max(1024)
    .default(1)
    .describe('Jobs that share the CPU at once, each with its part of the cores.'),
})
export type StudioConfig = z.infer<typeof StudioConfig>

interface RunningStudio extends AsyncDisposable {
  /** By which it can be reached: `http://127.0.0.1:4870` */
  readonly address: string
  /** Of an admin, where accounts are asked for and no admin is signed in. */
  readonly invitation: string | null
  readonly studio: OpenedStudio
}

/** How long an admin's link works. */
const firstLinkDays = 2

/** Of each connection. How long the body of a request may take, its size says: see server/bodies.ts. */
const serverOptions = { headersTimeout: 20_000, requestTimeout: 3_600_000, connectionsCheckingInterval: 5000 }

/**
 * Starts the server.
 *
 * @param gpus as if the machine had these
 * @throws {RunInUseError} another server has this workspace
 * @throws {ConfigError} the address cannot be had, or a device is not there
 */
export async function startStudio(
  config: StudioConfig,
  gpus: FoundGpus | Promise<FoundGpus> = findGpus(),
): Promise<RunningStudio> {
  const { workspace: folder, host, port, publicUrl, database, model, encoder, cpuJobs } = config
  const { count, note } = await gpus
  const devices = devicesOf(config.devices, cpuJobs, count)
  const isWanted = worldOf(model) === undefined && config.devices === null
  const gpuNote = isWanted ? note : null
  if (worldOf(model) !== undefined) expectCpu(devices)
  const login = !isLoopback(host) || publicUrl !== null
  const { at, folder: whole } = openWorkspace(folder)
  takeLock(whole)
  const unlock = () => rmSync(at(lockName), { force: true })
  try {
    const studio = await openStudio(folder, { database, login, publicUrl, model, encoder, devices, gpuNote })
    try {
      const server = await listen(studio, host, port)
      const { port: taken } = server.address() as { port: number }
      const address = reachableAddress(host, taken)
      const link = publicUrl ?? address
      writeFileAtomic(at(addressName), JSON.stringify({ link, login } satisfies Address))
      // What first pages need is made ready while nobody asks for it yet: the forms, and what the store holds.
      for (const ready of [studio.stages(), studio.pairs.all()]) ready.catch(() => undefined)
      return {
        address,
        studio,
        invitation: login ? await firstInvitation(studio, link) : null,
        async [Symbol.asyncDispose]() {
          await new Promise<void>((closed) => {
            server.close(() => closed())
            if ('closeAllConnections' in server) server.closeAllConnections()
          })
          await studio[Symbol.asyncDispose]()
          rmSync(at(addressName), { force: true })
          unlock()
        },
      }
    } catch (error) {
      await studio[Symbol.asyncDispose]()
      throw error
    }
  } catch (error) {
    unlock()
    throw error
  }
}

/** @throws {ConfigError} */
function expectCpu(devices: readonly Device[]): void {
  if (devices.some(({ id }) => id === cpuId)) return
  throw new ConfigError({
    where: '--devices',
    expected: 'the CPU among them, where the embedded model computes',
    received: devices.map(({ id }) => id).join(', '),
    remedy: 'add cpu, or open the studio on a real checkpoint with --model',
  })
}

function listen(studio: OpenedStudio, hostname: string, port: number): Promise<ServerType> {
  return new Promise((listening, failed) => {
    const options = { fetch: studioApp(studio).fetch, hostname, port, serverOptions }
    const server = serve(options, () => listening(server))
    server.once('error', (cause: NodeJS.ErrnoException) => failed(addressTaken(hostname, port, cause)))
  })
}

/** None where an admin is signed in somewhere: that one can invite. */
async function firstInvitation({ store }: OpenedStudio, address: string): Promise<string | null> {
  const admins = await readAdmins(store.database)
  if ((await signedIn(store.database, admins, new Date())).size > 0) return null
  const { token } = await invite(store, { name: await adminName(store), role: 'admin', days: firstLinkDays })
  return linkOf(address, token)
}

const workspaceFlag = ({ workspace }: StudioConfig) =>
  workspace === StudioConfig.shape.workspace.parse(undefined) ? '' : ` --workspace ${workspace}`

/** Serves until the process is told to end. */
export async function runStudio(config: StudioConfig): Promise<string> {
  const running = await startStudio(config)
  process.stderr.write(`studio: ${running.address}\n`)
  if (running.invitation !== null)
    process.stderr.write(
      `admin: ${running.invitation} (works once, for two days; a new one at any time: attune studio invite --admin${workspaceFlag(config)})\n`,
    )
  await new Promise<void>((ended) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended())
  })
  await running[Symbol.asyncDispose]()
  return config.workspace
}
