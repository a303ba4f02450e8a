/** Models, LoRA files and policies as files. */
import { z } from 'zod'

/** Without a form adapters come as diffusers reads them, and changed weights as they are. */
export const PolicyDownloadQuery = z.object({ form: z.enum(['diffusers', 'kohya', 'attune']).optional() })
export type PolicyForm = NonNullable<z.infer<typeof PolicyDownloadQuery>['form']>
