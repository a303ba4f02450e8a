/** Names of what stages leave in their run folders for others, who need not import their code. */

/** While a file of this name is in the folder of a training run, its next step draws sample images and removes it. */
export const sampleNowName = 'sample-now'
/** Sample images of a training run, in a folder for each step. */
export const samplesName = 'samples'
export const sampleFolderName = (step: number): string => String(step).padStart(6, '0')
/** Beside the folders of the steps: the prompts of their pictures, in the order of the files. */
export const samplePromptsName = 'prompts.json'

/** Of a policy: adapters, under diffusers’ name; or the parameters that were trained themselves. */
export const [loraFileName, policyFileName] = ['pytorch_lora_weights.safetensors', 'policy.safetensors']

/** Of a reward: how unsure it is of each image of the store. */
export const uncertaintiesName = 'uncertainties.json'
/** Of a reward: what it gives each judged image, and with an ensemble every image of the store. */
export const scoresName = 'scores.json'
/** Of a reward: where people and it differ. */
export const disagreementsName = 'disagreements.json'

/** The figures of a report, and its page. */
export const [reportFiguresName, reportPageName] = ['report.json', 'report.html']
