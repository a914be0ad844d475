using System.Diagnostics;
using System.Security.Cryptography;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tls.Keys;

/// <summary>
/// The hash over all handshake messages (RFC 8446 section 4.4.1). Until the suite is known the messages wait as bytes.
/// </summary>
internal sealed class Transcript : IDisposable
{
    private readonly MessageWriter _waiting = new();
    private IncrementalHash? _hash;

    public CipherSuite Suite { get; private set; }

    public void Add(ReadOnlySpan<byte> message)
    {
        if (_hash is null)
        {
            _waiting.WriteBytes(message);
        }
        else
        {
            _hash.AppendData(message);
        }
    }

    public void Select(CipherSuite suite)
    {
        Debug.Assert(_hash is null, "The suite is selected once.");
        Suite = suite;
        _hash = IncrementalHash.CreateHash(suite.HashName());
        _hash.AppendData(_waiting.Written);
        _waiting.Release();
    }

    /// <summary>
    /// RFC 8446 section 4.4.1: a HelloRetryRequest puts a hash in the place of the first ClientHello, so that a server
    /// need not remember it. To be called before the HelloRetryRequest itself is added.
    /// </summary>
    public void ReplaceWithMessageHash()
    {
        Span<byte> synthetic = stackalloc byte[HandshakeAssembler.HeaderLength + CipherSuiteExtensions.MaxHashLength];
        int length = Suite.HashLength();
        synthetic.Clear();
        synthetic[0] = (byte)HandshakeType.MessageHash;
        synthetic[3] = (byte)length;
        _hash!.GetHashAndReset(synthetic[HandshakeAssembler.HeaderLength..]);
        _hash.AppendData(synthetic[..(HandshakeAssembler.HeaderLength + length)]);
    }

    /// <summary>The hash of all messages so far; returns its length.</summary>
    public int Current(Span<byte> destination) => _hash!.GetCurrentHash(destination);

    /// <summary>
    /// The hash of all messages so far and of a message that is only begun: what a PSK binder covers (RFC 8446 section
    /// 4.2.11.2). Before a HelloRetryRequest the suite is that of the key.
    /// </summary>
    public int WithPartial(CipherSuite suite, ReadOnlySpan<byte> partial, Span<byte> destination)
    {
        using IncrementalHash hash = _hash?.Clone() ?? IncrementalHash.CreateHash(suite.HashName());
        if (_hash is null)
        {
            hash.AppendData(_waiting.Written);
        }

        hash.AppendData(partial);
        return hash.GetCurrentHash(destination);
    }

    /// <summary>Nothing is added or asked for any more.</summary>
    public void Dispose()
    {
        _hash?.Dispose();
        _hash = null;
    }
}
