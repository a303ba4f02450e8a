/** Which models the studio uses, which lie here, and how others come. */
import { english } from '../speech.ts'

const { counted } = english

export const models = {
  title: 'Models',
  about: 'What draws the images, what rewards look through, and what lies here beside.',

  inUse: {
    title: 'In use',
    checkpoint: 'Checkpoint',
    embedded: (model: string) => `${model}, embedded`,
    encoder: 'Encoder of rewards',
    ownEncoder: 'the checkpoint’s own',
    noEncoder: 'none',
    newestReward: 'Newest reward',
    noReward: 'none yet',
    restart: 'Restart the studio to change over',
    restartWhy: (model: string, encoder: string | null) =>
      `From its next start on it uses ${model}${encoder === null ? '' : `, with the encoder ${encoder}`}, unless its command line names another with --model. Images and judgments of this workspace stay as they are.`,
    encoderNeeded:
      'Rewards that are trained here need an encoder: choose a CLIPModel below, or start the studio with --encoder.',
  },

  here: {
    title: 'Here',
    where: 'In the cache that the Hugging Face libraries share, and in the folder “models” of this workspace.',
    embedded: 'embedded: coloured shapes, for trying things out in minutes',
    none: 'No other model lies here yet: fetch or bring one below.',
    use: 'Use',
    useNamed: (model: string) => `Use ${model}`,
    used: 'in use',
    usedNext: 'from the next start on',
    kinds: { checkpoint: 'draws images', encoder: 'encoder of rewards', reward: 'reward' },
    licence: (name: string) => `licence ${name}`,
    noLicence: 'licence not known here',
    lookedAt: 'Being looked at …',
    parts: 'Parts and size',
  },

  bringing: {
    choose: 'Bring a checkpoint',
    drop: 'in one .safetensors file: choose it, or drop it here',
    progress: 'Sending the file',
    sent: (share: string) => `${share} sent`,
    lookedAt: 'Being looked at …',
    isHere: (file: string) => `${file} is here.`,
  },
  removing: {
    remove: 'Remove',
    removeNamed: (model: string) => `Remove ${model}`,
    removeIt: (model: string) => `Remove ${model}?`,
    removeWhat: 'The file is deleted from this workspace. Runs that were made with it stay, but cannot be repeated.',
  },

  fetching: {
    title: 'Fetch by name',
    from: 'From the Hugging Face hub, or the one that HF_ENDPOINT names; only what is read here.',
    name: 'Name',
    nameForm: 'owner/name',
    precision: 'Precision',
    asPublished: 'as published',
    half: (precision: string) => `${precision}, half the size`,
    look: 'Look it up',
    looking: 'Looking …',
    files: (count: number, size: string) => `${counted(count, { one: 'file', other: 'files' })}, ${size}`,
    missing: (size: string) => `of which ${size} are not here yet`,
    licence: 'Licence:',
    noLicence: 'the hub tells none',
    readLicence: 'Read it on the model’s page',
    accept: 'I have read the licence and accept it',
    download: 'Download',
    downloadOf: (model: string) => `Download of ${model}`,
    begun: (when: string) => `begun ${when}`,
    stop: 'Stop',
    goOn: 'Go on with it',
  },

  loras: {
    title: 'LoRA files',
    about:
      'Of diffusers, PEFT, kohya’s scripts or ComfyUI, for the checkpoint in use. They can be drawn with in the playground, and a policy can start from one.',
    toPlayground: 'To the playground',
    toPolicy: 'Train a policy',
    choose: 'Choose a file',
    lookedAt: 'Being looked at …',
    drop: 'or drop a .safetensors file here',
    fits: (file: string) => `${file} fits`,
    facts: (layers: number, rank: number | null, form: string, trainedOn: string | null) =>
      `${counted(layers, { one: 'layer', other: 'layers' })}${rank === null ? '' : `, rank ${rank}`}, in the form of ${form}${trainedOn === null ? '' : `; it says that it was trained on ${trainedOn}`}.`,
  },
}
