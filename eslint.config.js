import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const ioModules = ['node:*', 'pg', 'express', 'undici', '@grpc/*', 'pino', '**/store.ts', '../_chassis/*'];
const domainFiles = [
  'orders/order',
  'inventory/reservation',
  'payments/payment',
  'bank/charge',
  'fulfillment/shipment',
  '_template/field-note',
  'auth/account',
  'users/profile',
].map((path) => `services/${path}.ts`);

// The direction of imports is the layering: main -> app -> methods, events -> domain, store. Another service is
// reachable only through its contract, the chassis knows no service, and a domain file imports nothing that does I/O.
const betweenServices = {
  group: ['../*/*', '!../_chassis/*', '!../*/contract.ts'],
  message: 'another service is reachable only through its contract.ts',
};

export default tseslint.config(
  { ignores: ['node_modules/', '.data/', 'services/*/.data/'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['*.js'] }, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'error',
      'no-control-regex': 'off',
    },
  },
  {
    files: ['services/{[a-z]*,_template}/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [betweenServices] }] },
  },
  {
    files: ['services/_chassis/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['../[a-z]*/**', '../../[a-z]*/**'], message: 'the chassis knows no service' }] },
      ],
    },
  },
  {
    files: domainFiles,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: [...ioModules, '!../_chassis/impossible.ts'], message: 'a domain file does no I/O' },
            betweenServices,
          ],
        },
      ],
    },
  },
  { files: ['services/**/*.test.ts'], rules: { 'no-restricted-imports': 'off' } },
  { files: ['tools/**/*.ts', '**/*.js'], rules: { 'no-console': 'off' } },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
);
