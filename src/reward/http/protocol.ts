/** What a reward server is asked and what it answers: JSON with PNG in base64, in docs/file-formats.md. */
import { z } from 'zod'

/** Images in one request, at most; a server may take fewer. */
export const mostImages = 256
/** Bytes of a request, at most. */
export const mostRequestBytes = 64e6
/** Before a question is asked again, whatever the server says. */
export const longestWaitMs = 30_000
const longestPrompt = 10_000
/** The name of the environment variable with the token that client and server share. */
export const tokenVariable = 'ATTUNE_REWARD_TOKEN'

/** `GET /info`: which reward it is. All but the name may be left out. */
export const RewardInfo = z.object({
  name: z.string().min(1).max(500),
  /** Of its weights, or whatever becomes another when its scores do. */
  sha256: z.string().min(1).max(2000).optional(),
  version: z.union([z.string().max(500), z.number()]).optional(),
  /** Lowest and highest score. */
  range: z.tuple([z.number(), z.number()]).nullish(),
  comparable: z.enum(['across prompts', 'within a prompt']).optional(),
  /** Images that it takes at once. */
  mostImages: z.int().positive().max(mostImages).optional(),
})
export type RewardInfo = z.infer<typeof RewardInfo>

/** `POST /score` */
export const ScoreRequest = z
  .object({
    images: z.array(z.string()).min(1).max(mostImages),
    prompts: z.array(z.string().max(longestPrompt)).max(mostImages),
  })
  .refine(({ images, prompts }) => images.length === prompts.length, {
    message: 'a prompt for each image',
    path: ['prompts'],
  })

/** Its answer: a number for each image, or null and an error in its place. */
export const ScoreAnswer = z.object({
  scores: z.array(z.number().nullable()),
  errors: z.array(z.string().nullable()).optional(),
  /** As that of `/info`: a server that was started again with another reward is noticed. */
  sha256: z.string().optional(),
})
export type ScoreAnswer = z.infer<typeof ScoreAnswer>
