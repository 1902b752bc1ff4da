"""Events as sentences, with how each was paid for, in Russian and in English."""
