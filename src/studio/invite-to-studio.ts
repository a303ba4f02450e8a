/** `studio invite`: a link by which somebody comes in, made at any time, whether the studio runs or not. */
import { z } from 'zod'
import { ConfigError } from '../errors.ts'
import { addAdminAct } from '../feedback/raters/admin-log.ts'
import { hasAccepted } from '../feedback/raters/invitations.ts'
import { changeRole } from '../feedback/raters/raters.ts'
import { openFeedback, type FeedbackStore } from '../feedback/store/store.ts'
import { databaseName } from './open-studio.ts'
import { RaterName } from './schemas/basics.ts'
import { invite, linkOf } from './server/accounts.ts'
import { adminName, runningAddress } from './server/address.ts'
import { reachableAddress } from './server/reachable.ts'
import { StudioConfig } from './start-studio.ts'
import { openWorkspace } from './workspace.ts'

const { workspace, database, publicUrl, port } = StudioConfig.shape

export const InviteConfig = z.strictObject({
  workspace,
  database,
  admin: z.boolean().default(false).describe('Invite an admin, who may do everything; a rater without it.'),
  name: z
    .string()
    .nullable()
    .default(null)
    .describe('For whom; of an admin without it the one that there is, or the name admin.'),
  days: z.int().min(1).max(90).default(2).describe('How long the link works, days.'),
  publicUrl: publicUrl.describe('Address by which others reach the studio; that of the server that runs without it.'),
  port: port.describe('Port of the studio, where none runs now.'),
})
export type InviteConfig = z.infer<typeof InviteConfig>

/**
 * @returns the link, which works once
 * @throws {ConfigError} no name for a rater, or the server that runs asks for no accounts
 */
export async function inviteToStudio(config: InviteConfig): Promise<string> {
  const opened = openWorkspace(config.workspace)
  const running = runningAddress(opened)
  if (running !== undefined && !running.login) {
    throw new ConfigError({
      where: config.workspace,
      expected: 'a studio that asks for accounts',
      received: 'one that runs for this machine only',
      remedy: `open ${running.link}, or start it with --host 0.0.0.0 or --public-url`,
    })
  }
  await using store = await openFeedback(config.database ?? opened.at(databaseName))
  const token = await linkToken(store, config)
  const address = config.publicUrl ?? running?.link ?? reachableAddress('0.0.0.0', config.port)
  return linkOf(address, token)
}

/** Who is here already as a rater becomes an admin at once where an admin is invited. */
async function linkToken(store: FeedbackStore, { name: given, admin, days }: InviteConfig): Promise<string> {
  const role = admin ? 'admin' : 'rater'
  const name = given === null ? (admin ? await adminName(store) : undefined) : RaterName.safeParse(given).data
  if (name === undefined) {
    throw new ConfigError({
      where: '--name',
      expected: 'a name of 1 to 200 characters',
      received: given === null ? 'none' : JSON.stringify(given.slice(0, 80)),
      remedy: 'say whom you invite: --name Ada; or invite an admin: --admin',
    })
  }
  if (admin && (await hasAccepted(store.database, name))) await changeRole(store.database, name, role)
  const { invitation, token } = await invite(store, { name, role, days })
  await addAdminAct(store.database, {
    at: invitation.createdAt,
    who: 'the machine itself',
    key: null,
    what: 'Invite somebody; the link is told once.',
    address: 'attune studio invite',
    asked: { name, admin, days },
    before: null,
    after: { role: invitation.role },
    outcome: 'done',
  })
  return token
}
