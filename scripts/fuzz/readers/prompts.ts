/** Lists of prompts, and what goes with them. */
import { readDistractors } from '../../../src/prompts/distractors-file.ts'
import { promptList } from '../../../src/prompts/prompt-file.ts'
import { shapesVocabulary } from '../../../src/shapes/vocabulary.ts'
import { asFile, json, type Reader, textOf, texts } from './reader.ts'

export const promptReaders: readonly Reader[] = [
  {
    name: 'prompts text',
    form: 'text',
    sound: () => texts('# some\na red cat\na red circle on a blue table\n\n(a cat:1.2), b\n'),
    open: () => (bytes) => promptList('a.txt', textOf(bytes), { vocabulary: shapesVocabulary }),
  },
  {
    name: 'prompts csv',
    form: 'text',
    sound: () => texts('id,prompt,category,seed\n1,"a cat, red",color,5\n2,dog,,\n', 'Prompt\tChallenge\na cat\tx\n'),
    open: () => (bytes) => promptList('a.csv', textOf(bytes), { vocabulary: shapesVocabulary }),
  },
  {
    name: 'prompts jsonl',
    form: 'lines',
    sound: () =>
      texts(
        '{"id":"p1","prompt":"a cat","category":"color","seed":3,"negative_prompt":"dog"}\n{"text":"a red circle"}',
        '{"tag":"two_object","include":[{"class":"cat","count":1}],"prompt":"a cat"}',
      ),
    open: () => (bytes) => promptList('a.jsonl', textOf(bytes), { vocabulary: shapesVocabulary }),
  },
  {
    name: 'prompts json',
    form: 'json',
    sound: () => json(['a cat', 'a dog'], [{ prompt: 'a cat' }], { '0': { Prompt: 'a cat', Category: 'x' } }),
    open: () => (bytes) => promptList('a.json', textOf(bytes), { vocabulary: shapesVocabulary }),
  },
  {
    name: 'distractors',
    form: 'lines',
    sound: () => texts('{"prompt":"a cat","distractors":["a dog","two cats"]}\n{"prompt":"b","distractors":["c"]}'),
    open: asFile('a.jsonl', readDistractors),
  },
]
