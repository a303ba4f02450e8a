/** Settings under headings, for forms that show many of them. Free of Node: one list for all stages and methods. */

/** In the order in which they are shown. */
export const settingGroups = ['drawing', 'trained', 'learning', 'holding', 'watching', 'memory', 'keeping'] as const
export type SettingGroup = (typeof settingGroups)[number]

/** What a method names for itself is how it learns, where it does not stand here. */
const usualGroup: SettingGroup = 'learning'

const members: Readonly<Record<Exclude<SettingGroup, 'learning'>, readonly string[]>> = {
  drawing: [
    ...['prompts', 'promptCount', 'perPrompt', 'images', 'imagesDrawn', 'imagesPerPrompt', 'negativePrompt'],
    ...['policy', 'loraScale', 'steps', 'eta', 'guidance', 'resolution', 'predictionType', 'klRollouts'],
    ...['rolloutsPerIteration', 'groupSize', 'transitionsPerRollout', 'sharedNoise'],
    ...['window', 'windowOrder', 'windowIterations'],
  ],
  trained: ['parameters', 'rank', 'loraAlpha', 'loraLayers', 'emaDecay', 'trainEncoder', 'head', 'ensemble'],
  holding: [
    ...['klWeight', 'klD', 'klO', 'referenceWeight', 'pretrainingWeight', 'promptDropout', 'weightDecay', 'shrink'],
    ...['clipRange', 'trustRegion', 'ignoreRounding', 'maxGradNorm', 'oldDecay', 'oldDecaySlope', 'oldDecayDelay'],
  ],
  watching: ['heldOut', 'heldOutEvery', 'heldOutReward', 'scorer', 'probeEvery', 'stopOnAlarm'],
  memory: [
    ...['device', 'workers', 'processes', 'threads', 'mixedPrecision', 'vaeTiling', 'deterministic'],
    ...['gradientCheckpointing', 'gradientAccumulationSteps', 'transitionsAtOnce', 'noisyAtOnce', 'drawnAtOnce'],
  ],
  keeping: ['checkpointEvery', 'checkpointsKept', 'sampleEvery', 'samples', 'seed'],
}

const groupByField: ReadonlyMap<string, SettingGroup> = new Map(
  settingGroups.flatMap((group) =>
    group === usualGroup ? [] : members[group].map((field) => [field, group] as const),
  ),
)

/**
 * @param isLeftOpen whether it may be left to the stage: a number of images at once is then one of memory alone, and else it
 *   changes what is learned
 */
export function groupOf(field: string, isLeftOpen: boolean): SettingGroup {
  if (field === 'batchSize' && isLeftOpen) return 'memory'
  return groupByField.get(field) ?? usualGroup
}

/** Settings that change nothing of the memory that a stage takes. */
const weightless: ReadonlySet<string> = new Set([
  ...['prompts', 'promptCount', 'policy', 'images', 'seed', 'updates', 'learningRate', 'valueLearningRate', 'eta'],
  ...['maxGradNorm', 'weightDecay', 'clipRange', 'loraAlpha', 'loraScale', 'threads', 'deterministic', 'workers'],
  ...['checkpointEvery', 'checkpointsKept', 'sampleEvery', 'samples', 'probeEvery', 'stopOnAlarm', 'negativePrompt'],
])

export const takesMemory = (field: string): boolean => !weightless.has(field)
