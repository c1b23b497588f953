import { describe, expect, it } from 'vitest';
import { namesOf, renamed, singularOf } from './names.ts';

describe('namesOf', () => {
  it('when a name can be a service, it is taken, and one of many is worked out', () => {
    expect(namesOf('reviews')).toEqual({ service: 'reviews', one: 'review' });
    expect(namesOf('movies', 'movie')).toEqual({ service: 'movies', one: 'movie' });
  });

  it.each(['', 'Reviews', 'my_reviews', 'reviews2', '-reviews', 'reviews-', '../orders', 'a b', 'r'.repeat(41)])(
    'when it is %j, it is refused',
    (name) => {
      expect(() => namesOf(name)).toThrow('is not a name');
    },
  );

  it.each(['user', 'order', 'postgres'])('when it is %s, it is taken', (name) => {
    expect(() => namesOf(name)).toThrow(`${name} is taken`);
  });
});

describe('singularOf', () => {
  it.each([
    ['reviews', 'review'],
    ['gift-cards', 'gift-card'],
    ['categories', 'category'],
    ['addresses', 'address'],
    ['boxes', 'box'],
    ['invoices', 'invoice'],
    ['areas', 'area'],
    ['ideas', 'idea'],
    ['search', 'search'],
    ['status', 'status'],
    ['analysis', 'analysis'],
  ])('when it is %s, one is %s', (plural, singular) => {
    expect(singularOf(plural)).toBe(singular);
  });
});

describe('renamed', () => {
  it('when a text has the names in it, each is replaced as it is written', () => {
    const text =
      'field-notes fieldNotesContract addFieldNote field_notes FieldNoteAdded Field notes of a field note field-note.ts';
    expect(renamed(text, namesOf('gift-cards'))).toBe(
      'gift-cards giftCardsContract addGiftCard gift_cards GiftCardAdded Gift cards of a gift card gift-card.ts',
    );
    expect(renamed(text, namesOf('reviews'))).toBe(
      'reviews reviewsContract addReview reviews ReviewAdded Reviews of a review review.ts',
    );
  });
});
