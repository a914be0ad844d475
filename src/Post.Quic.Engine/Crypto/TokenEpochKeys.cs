using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto;

/// <summary>
/// The keys of one kind of token, by epoch. Random nonces are safe for 2^32 tokens of one key: the epochs of Retry
/// tokens are short enough that no flood gets there. Not thread-safe.
/// </summary>
internal sealed class TokenEpochKeys : IDisposable
{
    private readonly CryptoProvider _provider;
    private readonly byte[] _root = GC.AllocateUninitializedArray<byte>(TokenSealer.RootKeyLength, pinned: true);
    private long _epoch = -1;
    private Aead? _sealer;
    private Aead? _opener;
    private Aead? _previousOpener;

    public TokenEpochKeys(CryptoProvider provider, ReadOnlySpan<byte> root, ReadOnlySpan<byte> label, long lifetime)
    {
        _provider = provider;
        Lifetime = lifetime;
        Hkdf.ExpandLabel(HashAlgorithmName.SHA256, root, label, [], _root);
    }

    public long Lifetime { get; }

    public Aead SealerFor(long now, out byte epoch)
    {
        Advance(now);
        epoch = (byte)_epoch;
        return _sealer!;
    }

    public Aead? OpenerFor(byte epoch, long now)
    {
        Advance(now);
        return epoch == (byte)_epoch ? _opener
            : epoch == (byte)(_epoch - 1) ? _previousOpener
            : null;
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_root);
        _sealer?.Dispose();
        _opener?.Dispose();
        _previousOpener?.Dispose();
    }

    private void Advance(long now)
    {
        long epoch = now / Lifetime;
        if (epoch == _epoch)
        {
            return;
        }

        _sealer?.Dispose();
        _previousOpener?.Dispose();
        if (epoch == _epoch + 1 && _opener is not null)
        {
            _previousOpener = _opener;
        }
        else
        {
            _opener?.Dispose();
            _previousOpener = Create(epoch - 1, KeyDirection.Receive);
        }

        _sealer = Create(epoch, KeyDirection.Send);
        _opener = Create(epoch, KeyDirection.Receive);
        _epoch = epoch;
    }

    private Aead Create(long epoch, KeyDirection direction)
    {
        Span<byte> context = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(context, epoch);
        Span<byte> key = stackalloc byte[16];
        Hkdf.ExpandLabel(HashAlgorithmName.SHA256, _root, "epoch"u8, context, key);
        try
        {
            return _provider.CreateAead(CipherSuite.Aes128GcmSha256, direction, key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }
}
