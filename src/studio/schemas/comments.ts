/** Comments on images, in people's own words. */
import { z } from 'zod'
import { longestComment } from '../../records.ts'
import { clean, ImageId, isClean, time } from './basics.ts'

const CommentText = z
  .string()
  .trim()
  .min(1)
  .max(longestComment, `at most ${longestComment} characters`)
  .refine(isClean, clean)

export const CommentsQuery = z.object({
  image: ImageId,
  /** `all`, for admins: those of everybody. Nobody who judges is told what others say. */
  from: z.enum(['me', 'all']).default('me'),
})
export type CommentsQuery = z.input<typeof CommentsQuery>

export const NewComment = z.strictObject({ id: z.uuid(), image: ImageId, text: CommentText })
export type NewComment = z.infer<typeof NewComment>

/** In order of time. */
export const Comments = z.object({
  comments: z.array(z.object({ id: z.string(), rater: z.string(), text: z.string(), at: time, own: z.boolean() })),
})
export type Comments = z.infer<typeof Comments>
export const CommentChange = z.strictObject({ removed: z.boolean() })
export type CommentChange = z.infer<typeof CommentChange>
export const CommentsChanged = z.object({ changed: z.boolean() })
