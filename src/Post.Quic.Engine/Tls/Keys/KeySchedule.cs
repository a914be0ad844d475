using System.Security.Cryptography;
using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Tls.Keys;

/// <summary>
/// The key schedule of RFC 8446 section 7.1: one secret that moves on from early to handshake to master, and what is
/// derived from it on the way. Transcript hashes come in; it holds no messages.
/// </summary>
internal sealed class KeySchedule : IDisposable
{
    private readonly HashAlgorithmName _hash;
    private readonly SecretBuffer _secret;

    /// <summary>Begins with a pre-shared key, or without one.</summary>
    public KeySchedule(CipherSuite suite, ReadOnlySpan<byte> preSharedKey)
    {
        _hash = suite.HashName();
        HashLength = suite.HashLength();
        _secret = new SecretBuffer(HashLength);
        Span<byte> zeros = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
        zeros.Clear();
        Hkdf.Extract(_hash, default, preSharedKey.IsEmpty ? zeros[..HashLength] : preSharedKey, _secret.Span);
    }

    public int HashLength { get; }

    /// <summary>From the early to the handshake secret.</summary>
    public void EnterHandshake(ReadOnlySpan<byte> sharedSecret) => Advance(sharedSecret);

    /// <summary>From the handshake to the master secret.</summary>
    public void EnterMaster()
    {
        Span<byte> zeros = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
        zeros.Clear();
        Advance(zeros[..HashLength]);
    }

    /// <summary>Derive-Secret with the hash of the messages up to here.</summary>
    public SecretBuffer Derive(ReadOnlySpan<byte> label, ReadOnlySpan<byte> transcriptHash)
    {
        var derived = new SecretBuffer(HashLength);
        Hkdf.ExpandLabel(_hash, _secret.Span, label, transcriptHash, derived.Span);
        return derived;
    }

    /// <summary>Derive-Secret with no messages.</summary>
    public SecretBuffer DeriveWithoutMessages(ReadOnlySpan<byte> label)
    {
        Span<byte> empty = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
        HashEmpty(empty);
        return Derive(label, empty[..HashLength]);
    }

    /// <summary>
    /// The MAC of Finished messages and PSK binders (RFC 8446 section 4.4.4): HMAC under a key of the base key.
    /// </summary>
    public void FinishedMac(ReadOnlySpan<byte> baseKey, ReadOnlySpan<byte> transcriptHash, Span<byte> mac)
    {
        Span<byte> key = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
        key = key[..HashLength];
        Hkdf.ExpandLabel(_hash, baseKey, "finished"u8, default, key);
        if (_hash == HashAlgorithmName.SHA384)
        {
            HMACSHA384.HashData(key, transcriptHash, mac);
        }
        else
        {
            HMACSHA256.HashData(key, transcriptHash, mac);
        }

        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>The pre-shared key of a ticket (RFC 8446 section 4.6.1).</summary>
    public SecretBuffer TicketSecret(ReadOnlySpan<byte> resumptionSecret, ReadOnlySpan<byte> nonce)
    {
        var secret = new SecretBuffer(HashLength);
        Hkdf.ExpandLabel(_hash, resumptionSecret, "resumption"u8, nonce, secret.Span);
        return secret;
    }

    /// <summary>Exported keying material (RFC 8446 section 7.5).</summary>
    public void Export(
        ReadOnlySpan<byte> exporterSecret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        Span<byte> secret = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
        Span<byte> hash = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
        secret = secret[..HashLength];
        HashEmpty(hash);
        Hkdf.ExpandLabel(_hash, exporterSecret, label, hash[..HashLength], secret);
        CryptographicOperations.HashData(_hash, context, hash);
        Hkdf.ExpandLabel(_hash, secret, "exporter"u8, hash[..HashLength], output);
        CryptographicOperations.ZeroMemory(secret);
    }

    public void Dispose() => _secret.Dispose();

    private void Advance(ReadOnlySpan<byte> inputKeyingMaterial)
    {
        using SecretBuffer salt = DeriveWithoutMessages("derived"u8);
        Hkdf.Extract(_hash, salt.Span, inputKeyingMaterial, _secret.Span);
    }

    private void HashEmpty(Span<byte> destination) => CryptographicOperations.HashData(_hash, [], destination);
}
