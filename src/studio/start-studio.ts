/** The server of the studio in this process; what it is told, and what it has in common with one of several processes. */
import { existsSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { serve, type ServerType } from '@hono/node-server'
import type { Hono } from 'hono'
import { z } from 'zod'
import { optionalText } from '../config-fields.ts'
import { addressTaken } from '../address-taken.ts'
import { ConfigError } from '../errors.ts'
import { readAdmins } from '../feedback/raters/raters.ts'
import { signedIn } from '../feedback/raters/sessions.ts'
import type { FeedbackStore } from '../feedback/store/store.ts'
import { writeFileAtomic } from '../files.ts'
import { takeLock, lockName } from '../run-lock.ts'
import { isLoopback } from '../loopback.ts'
import { defaultModel } from '../model-names.ts'
import { cpuId, devicesOf, findGpus, type Device, type FoundGpus } from './devices/devices.ts'
import { invite, linkOf } from './server/accounts.ts'
import { studioApp } from './server/app.ts'
import { reachableAddress } from './server/reachable.ts'
import { addressName, adminName, type Address } from './server/address.ts'
import { Closing } from './closing.ts'
import { openStudio, type OpenedStudio, type StudioOptions } from './open-studio.ts'
import type { StudioModel } from './jobs/orders.ts'
import { chosenModel } from './models/chosen-model.ts'
import { secretVariable, Webhook } from './jobs/webhook.ts'
import { takeLead } from './processes/lead.ts'
import { serverOptions } from './server-options.ts'
import { openWorkspace, type Workspace } from './workspace.ts'
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
    .meta({
      description:
        'Address by which others reach it through a reverse proxy, https://studio.example. Asks for accounts, and believes the proxy about who calls.',
      expected: 'an address, http://… or https://…',
    }),
  database: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'postgres://user:password@host/name')
    .nullable()
    .default(null)
    .describe('PostgreSQL database of the judgments, postgres://…; a SQLite file in the workspace without it.'),
  model: optionalText.describe(
    'The pre-trained model: shapes, which is embedded, a folder in diffusers’ layout, or owner/name in the Hugging Face cache. Without it the one that was chosen on the page “Models”, or shapes.',
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
  webhook: z
    .url({ protocol: /^https?$/ })
    // Nothing could be sent there, and what is not sent is told with its address.
    .refine((url) => !/^https?:\/\/[^/?#]*@/i.test(url), 'an address without a name and a password')
    .nullable()
    .default(null)
    .meta({
      description: `Address that is told by a POST of JSON when a job begins, ends, fails, is held or raises an alarm; signed where ${secretVariable} is set.`,
      expected: 'an address, http://… or https://…',
    }),
  processes: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Processes that answer together at one port; more than one need PostgreSQL. See docs/scale.md.'),
})
export type StudioConfig = z.infer<typeof StudioConfig>

export interface RunningStudio extends AsyncDisposable {
  /** By which it can be reached: `http://127.0.0.1:4870` */
  readonly address: string
  /** Of an admin, where accounts are asked for and no admin is signed in. */
  readonly invitation: string | null
}

/** How long an admin's link works. */
const firstLinkDays = 2

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
): Promise<RunningStudio & { readonly studio: OpenedStudio }> {
  const options = optionsOf(config, await gpus)
  return await inWorkspace(config, async (workspace, unlock) => {
    // Processes of an earlier server may be about to end.
    await using made = new Closing()
    made.defer(unlock)
    made.defer(await takeLead(workspace))
    const studio = made.use(await openStudio(config.workspace, options))
    const { port } = made.use(await listen(studioApp(studio), config))
    const announced = await announce(config, studio, port)
    void makeReady(studio)
    const all = made.move()
    return { ...announced, studio, [Symbol.asyncDispose]: () => all[Symbol.asyncDispose]() }
  })
}

/**
 * Does the work of a server with the lock of its workspace.
 *
 * @param start  its `unlock` is called when the server has ended; where it fails, it was
 * @throws {RunInUseError} another server has this workspace
 */
export async function inWorkspace<T>(
  config: StudioConfig,
  start: (workspace: Workspace, unlock: () => void) => Promise<T>,
): Promise<T> {
  const workspace = openWorkspace(config.workspace)
  takeLock(workspace.folder)
  const unlock = () => {
    rmSync(workspace.at(addressName), { force: true })
    rmSync(workspace.at(lockName), { force: true })
  }
  try {
    return await start(workspace, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

/** Tells where it is, in its workspace too. */
export async function announce(
  { host, publicUrl }: Pick<StudioConfig, 'host' | 'publicUrl'>,
  { store, workspace, login }: Pick<OpenedStudio, 'store' | 'workspace' | 'login'>,
  port: number,
): Promise<Pick<RunningStudio, 'address' | 'invitation'>> {
  const address = reachableAddress(host, port)
  const link = publicUrl ?? address
  writeFileAtomic(workspace.at(addressName), JSON.stringify({ link, login } satisfies Address))
  return { address, invitation: login ? await firstInvitation(store, link) : null }
}

/**
 * Listens where the config says.
 *
 * @throws {ConfigError} the address cannot be had
 */
export async function listen(
  app: Hono,
  { host: hostname, port }: Pick<StudioConfig, 'host' | 'port'>,
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = await new Promise<ServerType>((listening, failed) => {
    const options = { fetch: app.fetch, hostname, port, serverOptions }
    const server = serve(options, () => listening(server))
    server.once('error', (cause: NodeJS.ErrnoException) => failed(addressTaken(hostname, port, cause)))
  })
  const { port: taken } = server.address() as AddressInfo
  return { port: taken, [Symbol.asyncDispose]: () => close(server) }
}

/** Ends a server and what is connected to it. */
const close = (server: ServerType): Promise<void> =>
  new Promise((closed) => {
    server.close(() => closed())
    if ('closeAllConnections' in server) server.closeAllConnections()
  })

/** @throws {ConfigError} a device is not there */
export function optionsOf(config: StudioConfig, { count, note }: FoundGpus): StudioOptions {
  const { host, publicUrl, database, cpuJobs, webhook: url } = config
  const { model, encoder } = modelOf(config)
  const devices = devicesOf(config.devices, cpuJobs, count)
  const isWanted = worldOf(model) === undefined && config.devices === null
  if (worldOf(model) !== undefined) expectCpu(devices)
  const login = !isLoopback(host) || publicUrl !== null
  const told = (text: string) => process.stderr.write(`studio: ${text}\n`)
  const webhook = url === null ? undefined : new Webhook({ url, secret: process.env[secretVariable], studio: publicUrl, note: told }) // prettier-ignore
  return {
    ...{ database, login, publicUrl, model, encoder, devices, gpuNote: isWanted ? note : null },
    ...(webhook && { webhook }),
  }
}

/** As it is given, else as the workspace has it chosen. Jobs run in the workspace: a place here is named whole. */
function modelOf({ workspace, model, encoder }: StudioConfig): StudioModel {
  const whole = (name: string) => (worldOf(name) === undefined && existsSync(name) ? resolve(name) : name)
  if (model !== null) return { model: whole(model), encoder: encoder && whole(encoder) }
  const chosen = chosenModel(openWorkspace(workspace)) ?? { model: defaultModel, encoder: null }
  return encoder === null ? chosen : { ...chosen, encoder: whole(encoder) }
}

/**
 * What first pages need is made ready while nobody asks for it yet: what the store holds, which the first question waits
 * for, and then the forms and the pairs. In between others have their turn.
 */
export async function makeReady({ store, stages, pairs }: OpenedStudio): Promise<void> {
  for (const ready of [() => store.counts(), stages, () => pairs.all()]) {
    await Promise.resolve(ready()).catch(() => undefined)
    await new Promise(setImmediate)
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

/** None where an admin is signed in somewhere: that one can invite. */
async function firstInvitation(store: FeedbackStore, address: string): Promise<string | null> {
  const admins = await readAdmins(store.database)
  if ((await signedIn(store.database, admins, new Date())).size > 0) return null
  const { token } = await invite(store, { name: await adminName(store), role: 'admin', days: firstLinkDays })
  return linkOf(address, token)
}
