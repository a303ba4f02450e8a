import type { Guidelines } from '../../../src/studio/schemas/labelling.ts'
import { Drawer } from '../../components/drawer.tsx'
import { to } from '../../router.ts'
import { GuidelinesText } from './guidelines.tsx'

interface HelpProps {
  readonly guidelines?: Guidelines
  readonly keys: readonly (readonly [string[], string])[]
  readonly canEdit: boolean
  readonly close: () => void
}

/** What to look at, and the keys. */
export function Help({ guidelines, keys, canEdit, close }: HelpProps) {
  return (
    <Drawer title="Guidelines" close={close}>
      {guidelines !== undefined && <GuidelinesText text={guidelines.text} />}
      {canEdit && (
        <div>
          <a className="button small" href={to('raters', 'asking')}>
            Edit the guidelines
          </a>
        </div>
      )}
      <h3 className="keys-line">Keys</h3>
      <dl className="keys keys-line">
        {[...keys, [['U', 'Ctrl Z'], 'undo'] as const, [['?'], 'this sheet'] as const].map(([names, text]) => (
          <div key={text} className="key-line">
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Drawer>
  )
}
