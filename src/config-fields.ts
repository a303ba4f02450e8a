/** Config fields of shapes that many stages use; each gives its own its sentence. */
import { z } from 'zod'

/** A name, a path or a sentence that may be left out. */
export const optionalText = z.string().min(1).nullable().default(null)

/** How many, where a number of its own stands for none. */
export const optionalCount = (most: number) => z.int().positive().max(most).nullable().default(null)
