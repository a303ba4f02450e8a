/** All runs as a table, and what can be done with them. */
import { english } from '../speech.ts'

const { counted, figure } = english

export const runs = {
  title: 'Runs',
  about:
    'Everything that was made here. Choose two or more to see which settings differ, and their curves over each other.',
  none: 'Nothing has been made yet',
  begin: 'Begin',
  noneLikeThat: 'No run is like that',
  shown: (count: number, size: string) => `${counted(count, { one: 'run', other: 'runs' })}, ${size} on the disk`,

  filters: {
    text: 'Name or setting',
    stage: 'Stage',
    allStages: 'All stages',
    state: 'State',
    allStates: 'All states',
    archived: 'Archived',
    withoutArchived: 'Without archived ones',
    withArchived: 'With archived ones',
    onlyArchived: 'Archived ones only',
  },
  columns: {
    chosen: 'Chosen',
    run: 'Run',
    state: 'State',
    reward: 'Reward',
    alignment: 'Alignment',
    kl: 'KL, nats',
    frechet: 'Fréchet',
    auc: 'AUC',
    took: 'Took',
    size: 'Size',
    when: 'When',
  },
  choose: (run: string) => `Choose ${run}`,
  archived: 'archived',
  /** More values of a list than a cell shows. */
  andMore: (shown: string, left: number) => `${shown} + ${figure(left)}`,

  chosen: 'Chosen runs',
  chosenCount: (count: number) => `${counted(count, { one: 'run', other: 'runs' })} chosen`,
  again: 'Run again',
  changeFirst: 'Change settings, then run',
  rename: 'Rename',
  archive: 'Archive',
  takeBack: 'Take back',
  delete: 'Delete …',
  chooseNone: 'Choose none',

  renaming: {
    title: (run: string) => `Title of ${run}`,
    field: 'Title',
    hint: (run: string) => `Shown in place of ${run}. Its folder keeps its name.`,
    save: 'Save',
  },
  deleting: {
    one: (run: string) => `Delete ${run}?`,
    several: (count: number) => `Delete ${figure(count)} runs?`,
    frees: (size: string, bytes: number) =>
      `This frees ${size} (${figure(bytes)} bytes), and cannot be taken back. To have them out of the way, archive them.`,
    notNow: (run: string) => `${run} cannot be deleted now`,
    leftWithout: (count: number) => `${counted(count, { one: 'thing', other: 'things' })} would be left without it`,
    child: (name: string, what: string, from: string) => `${name} (${what}), from ${from}`,
    judgments: (count: number, from: string) =>
      `${counted(count, { one: 'judgment', other: 'judgments' })} of its images, from ${from}`,
    /** What needs a run, by the server's words, which English shows as they are. */
    what: {} as Readonly<Record<string, string>>,
    allTheSame: 'Delete all the same',
    delete: 'Delete',
  },

  curves: {
    title: 'Curves',
    below: 'Below the curves',
    tabs: { step: 'By steps', images_drawn: 'By images', seconds: 'By time' },
    by: { step: 'by steps', images_drawn: 'by images', seconds: 'by time' },
    axes: { step: 'step', images_drawn: 'images drawn', seconds: 'seconds' },
    onlyFirst: (count: number) => `The first ${figure(count)} of them: more could not be told apart.`,
    last: 'last',
    at: {
      step: (place: number) => `at ${counted(place, { one: 'step', other: 'steps' })}`,
      images_drawn: (place: number) => `at ${counted(place, { one: 'image', other: 'images' })}`,
      seconds: (place: number) => `at ${figure(place)} s`,
    },
  },
}
