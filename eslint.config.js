import js from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

export default defineConfig(
  globalIgnores(['build/', 'dist/', 'runs/', '.libtorch*/', '**/generated/']),
  js.configs.recommended,
  tseslint.configs.recommended,
  tseslint.configs.stylistic,
  {
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      // A scope is held for its end: `using _scope = tensorScope()`.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Error']",
          message: 'Throw one of the errors of src/errors.ts: where, expected, received, what to do.',
        },
        { selector: 'ThrowStatement > Literal', message: 'Throw one of the errors of src/errors.ts.' },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['DisposableStack', 'AsyncDisposableStack', 'Float16Array'].map((name) => ({
          name,
          message: 'Node 22 lacks it, which may import the package.',
        })),
      ],
    },
  },
  {
    files: ['scripts/**', '*.js'],
    rules: { 'no-restricted-exports': 'off' },
    languageOptions: { globals: { process: 'readonly', setTimeout: 'readonly' } },
  },
)
