/** Who asks. Invitations and sessions exist only where accounts are asked for. */
import { z } from 'zod'
import { clean, isClean, isVisible, RaterName, time, visible } from './basics.ts'

export const User = z.object({
  /** Null on a machine without login until the page has asked for one; send it with every request then. */
  name: z.string().nullable(),
  role: z.enum(['admin', 'rater']),
})
export type User = z.infer<typeof User>
export const Invitation = z.object({
  id: z.string(),
  /** For whom, as the admin wrote it. */
  name: z.string(),
  role: z.enum(['admin', 'rater']),
  createdAt: time,
  expiresAt: time,
  acceptedAt: time.nullable(),
})
export type Invitation = z.infer<typeof Invitation>
export const Invitations = z.object({ invitations: z.array(Invitation) })
export type Invitations = z.infer<typeof Invitations>
const NewName = RaterName.refine(isVisible, visible)
export const NewInvitation = z.strictObject({
  name: NewName,
  role: z.enum(['admin', 'rater']).default('rater'),
  days: z.int().min(1).max(90).default(14),
  /** Ends all sessions of this account: of a browser that was lost or stolen. */
  signOut: z.boolean().default(false),
})
export type NewInvitation = z.input<typeof NewInvitation>
export const RoleChange = z.strictObject({ role: z.enum(['admin', 'rater']) })
export type RoleChange = z.infer<typeof RoleChange>
/** The link is told once; the server keeps a hash. */
export const InvitationLink = z.object({
  invitation: Invitation,
  /** `https://host/#/invitation/<token>` */ link: z.string(),
})
export type InvitationLink = z.infer<typeof InvitationLink>
/** Accepting an invitation; the session comes as a cookie. */
export const NewSession = z.strictObject({ token: z.string().min(10).max(200) })
export type NewSession = z.infer<typeof NewSession>
export const Session = z.object({ user: User })
export type Session = z.infer<typeof Session>

/** Any characters; short ones are guessed. */
const Password = z
  .string()
  .refine(isClean, clean)
  .min(10, '10 to 200 characters')
  .max(200, '10 to 200 characters')
  .refine((given) => new Set(given).size > 3, 'more than three different characters')
/** Signing in; whatever is wrong with it, the answer is the same. */
export const PasswordSession = z.strictObject({ name: RaterName, password: z.string().max(200) })
export type PasswordSession = z.infer<typeof PasswordSession>
export const NewPassword = z.strictObject({
  password: Password,
  /** The one that there is; not asked for within an hour of coming in by a link. */
  current: z.string().max(200).optional(),
})
export type NewPassword = z.infer<typeof NewPassword>
export const PasswordState = z.object({
  /** Null: there is none. */
  changedAt: time.nullable(),
  needsCurrent: z.boolean(),
})
export type PasswordState = z.infer<typeof PasswordState>

/** By which a script calls: `Authorization: Bearer attune_…`. */
export const ApiKey = z.object({
  id: z.string(),
  name: z.string(),
  owner: z.string(),
  /** Never more than its owner has at the moment. */
  role: z.enum(['admin', 'rater']),
  createdAt: time,
  expiresAt: time,
  /** To the minute; null: never. */
  lastUsedAt: time.nullable(),
})
export type ApiKey = z.infer<typeof ApiKey>
export const ApiKeys = z.object({ keys: z.array(ApiKey) })
export const NewApiKey = z.strictObject({
  name: NewName,
  role: z.enum(['admin', 'rater']).default('rater'),
  days: z.int().min(1).max(366).default(90),
})
export type NewApiKey = z.input<typeof NewApiKey>
/** The key is told once; the server keeps a hash. */
export const MadeApiKey = z.object({ key: ApiKey, token: z.string() })

export const AdminActsQuery = z.object({
  /** Those before this one. */
  below: z.coerce.number().int().min(1).max(2_147_483_647).optional(),
  count: z.coerce.number().int().min(1).max(200).default(50),
})
export type AdminActsQuery = z.input<typeof AdminActsQuery>
/** What an admin did; the parts are what JSON has. */
export const AdminAct = z.object({
  sequence: z.int(),
  at: time,
  who: z.string(),
  /** Name of the key that a script used; null: in person. */
  key: z.string().nullable(),
  what: z.string(),
  /** `put /api/raters/Ada` */
  address: z.string(),
  asked: z.unknown(),
  before: z.unknown(),
  after: z.unknown(),
  /** `done`, or the code of a refusal. */
  outcome: z.string(),
})
export type AdminAct = z.infer<typeof AdminAct>
/** The newest first. */
export const AdminActs = z.object({
  acts: z.array(AdminAct),
  /** For `below` of the next page; null: there are no more. */
  next: z.int().nullable(),
})

export const Done = z.object({ done: z.literal(true) })
