/** Links that show one report, or the outcome of one comparison, to whoever has them. */
import { z } from 'zod'
import { RunName, time } from './basics.ts'

const SharedKind = z.enum(['report', 'comparison'])

export const NewShare = z.strictObject({ kind: SharedKind, name: RunName })
export type NewShare = z.infer<typeof NewShare>

const Share = z.object({ id: z.uuid(), kind: SharedKind, name: RunName, createdBy: z.string(), createdAt: time })
export const Shares = z.object({ /** Newest first. */ shares: z.array(Share) })
export type Shares = z.infer<typeof Shares>

/** The link is told once. */
export const ShareLink = z.object({ share: Share, link: z.url() })
export type ShareLink = z.infer<typeof ShareLink>
