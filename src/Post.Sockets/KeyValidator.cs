namespace Post.Sockets;

/// <summary>Judges a peer that shows a key without a certificate, and has proven that it holds the key.</summary>
/// <param name="key">The fingerprint of the key.</param>
/// <param name="subjectPublicKeyInfo">The key, DER-encoded as SubjectPublicKeyInfo.</param>
/// <returns>True to accept the peer.</returns>
public delegate bool KeyValidator(KeyFingerprint key, ReadOnlyMemory<byte> subjectPublicKeyInfo);
