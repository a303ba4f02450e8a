/** How raters are asked: guidelines, questions and gold images. */
import { english } from '../speech.ts'

const { counted, figure } = english

export const asking = {
  title: 'How raters are asked',
  about: 'What they are told, how much two of them answer, and what shows how careful they are.',
  saving: 'Saving …',
  accepted: (expected: string) => `Accepted: ${expected}.`,
  /** What a field takes, by the words of the server, which English shows as they are. */
  expected: {} as Readonly<Record<string, string>>,

  guidelines: {
    title: 'Guidelines',
    about: 'Raters find them beside the images, at any time.',
    text: 'Text',
    textHint: '“# ” begins a heading, “- ” a line of a list; empty lines part paragraphs.',
    asSeen: 'As raters see it',
    empty: 'Nothing is written yet.',
    consent: 'Consent',
    consentHint:
      'Raters agree to it before their first answer, and again when it changes; every export carries it. Empty: nothing is asked.',
    overtaken:
      'The guidelines have been changed elsewhere since you began. Yours replace them when you save; no version is lost.',
    notSaved: 'Not saved.',
    acceptedReasons: (expected: string) => `Accepted are ${expected}.`,
    marked: 'What has to change is marked above.',
    save: 'Save the guidelines',
    discard: 'Discard changes',
    isChanged: 'Not saved yet. What you write stays in this browser.',
    isSaved: 'Saved as a new version: raters see it from now on, and earlier versions are kept.',
    isOld: 'Saving makes a new version; earlier versions are kept.',
  },

  reasons: {
    title: 'Reasons that raters may pick',
    none: 'None: raters only answer.',
    whatRatersRead: 'what raters read',
    code: 'code',
    reason: (number: number) => `Reason ${number}`,
    codeOf: (number: number) => `Code of reason ${number}`,
    up: (number: number) => `Move reason ${number} up`,
    down: (number: number) => `Move reason ${number} down`,
    remove: (number: number) => `Remove reason ${number}`,
    acceptedCode: (expected: string) => `Accepted: as a code, ${expected}.`,
    acceptedLabel: (expected: string) => `Accepted: as a text, ${expected}.`,
    add: 'Add a reason',
    hint: 'In this order, under each question. The code is what the data holds: keep it when you only change the words.',
  },

  questions: {
    title: 'Questions',
    shares: {
      overlapShare: {
        label: 'Overlap, %',
        sentence:
          'So much of the images is asked of two raters, which tells how far they agree. The rest is asked of one.',
      },
      goldShare: {
        label: 'Gold, %',
        sentence:
          'So many of the questions hold a gold image, whose answer is known, which tells how careful a rater is.',
      },
    },
    mode: 'First way of asking',
    modeHint: 'What the label page opens with. A rater can choose another way, and keeps it.',
    unsure: 'Of a new prompt, first the images that the reward is least sure of',
    unsureHint:
      'Otherwise by lot. On the embedded model this needed more labels for as good a reward; other images may differ.',
    save: 'Save how they are asked',
    isChanged: 'Not saved yet.',
    isSaved: 'Saved: the next questions are asked so.',
  },

  gold: {
    title: 'Gold images',
    /** The link to the raters follows, and then the rest. */
    about:
      'You know whether they are good or bad. Raters meet them unmarked among the others, in “Good or bad”; how many each got right is',
    besideNames: 'beside their names',
    notTrained: 'No reward is trained on them.',
    notGold: 'Not gold any more.',
    isNow: { good: 'The answer is good.', bad: 'The answer is bad.' },
    none: 'There are no gold images yet',
    drawFirst: 'The model has to draw some images first.',
    aDozen: 'A dozen that leave no doubt, good and bad alike, show who answers with care.',
    count: (all: number, good: number, bad: number) =>
      `${counted(all, { one: 'gold image', other: 'gold images' })}: ${figure(good)} good, ${figure(bad)} bad.`,
    notAsked: 'None of them is asked about: the share of gold questions is 0 %.',
    add: 'Add gold images',
    doneAdding: 'Done adding',
    answerOf: (prompt: string) => `Answer of “${prompt}”`,
    remove: 'Remove',
  },

  picker: {
    title: 'Images to choose from',
    search: 'Search prompts',
    round: 'Round',
    allRounds: 'all rounds',
    roundOf: (name: string, images: number) => `${name} (${counted(images, { one: 'image', other: 'images' })})`,
    noPrompt: (round: string | null, text: string) => `No prompt of ${round ?? 'the images'} holds “${text}”.`,
    images: 'Images',
    later: 'Later',
  },
}
