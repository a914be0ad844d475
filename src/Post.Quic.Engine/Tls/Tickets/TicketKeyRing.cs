using System.Security.Cryptography;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tls.Keys;

namespace Post.Quic.Engine.Tls.Tickets;

/// <summary>
/// Seals session tickets under keys that rotate: a stolen key opens the tickets of one period only. Shared by all
/// connections of a listener, on any thread.
/// </summary>
internal sealed class TicketKeyRing : IDisposable
{
    private const int KeyIdLength = 4;
    private const int HeaderLength = KeyIdLength + Aead.NonceLength;

    private static readonly CipherSuite Suite = CryptoProviderFactory.Default.IsSupported(CipherSuite.Aes256GcmSha384)
        ? CipherSuite.Aes256GcmSha384
        : CipherSuite.Aes128GcmSha256;

    private readonly Lock _gate = new();
    private readonly RandomSource _random;
    private readonly TimeSpan _period;
    private readonly List<TicketKey> _keys = [];
    private bool _isDisposed;

    /// <param name="random">Draws keys and nonces.</param>
    /// <param name="lifetime">How long a ticket can be used: at most 7 days (RFC 8446 section 4.6.1).</param>
    /// <param name="period">How long a key seals new tickets.</param>
    public TicketKeyRing(RandomSource random, TimeSpan lifetime, TimeSpan period)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lifetime, TimeSpan.FromDays(7));
        ArgumentOutOfRangeException.ThrowIfLessThan(lifetime, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfLessThan(period, TimeSpan.FromSeconds(1));
        _random = random;
        Lifetime = lifetime;
        _period = period;
    }

    public TicketKeyRing(RandomSource random)
        : this(random, TimeSpan.FromHours(24), TimeSpan.FromHours(6))
    {
    }

    public TimeSpan Lifetime { get; }

    public byte[] Seal(ReadOnlySpan<byte> content, DateTimeOffset now)
    {
        byte[] ticket = new byte[HeaderLength + content.Length + Aead.TagLength];
        Span<byte> keyId = ticket.AsSpan(0, KeyIdLength);
        Span<byte> nonce = ticket.AsSpan(KeyIdLength, Aead.NonceLength);
        _random.Fill(nonce);
        content.CopyTo(ticket.AsSpan(HeaderLength));
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            TicketKey key = Rotate(now);
            key.Id.CopyTo(keyId);
            key.Sealer.Seal(nonce, keyId, ticket.AsSpan(HeaderLength, content.Length), ticket.AsSpan(ticket.Length - Aead.TagLength));
        }

        return ticket;
    }

    /// <summary>The content of a ticket sealed under a key that is still kept.</summary>
    public SecretBuffer? Open(ReadOnlySpan<byte> ticket, DateTimeOffset now)
    {
        if (ticket.Length <= HeaderLength + Aead.TagLength)
        {
            return null;
        }

        ReadOnlySpan<byte> keyId = ticket[..KeyIdLength];
        lock (_gate)
        {
            if (_isDisposed || Find(keyId, now) is not { } key)
            {
                return null;
            }

            var content = new SecretBuffer(ticket[HeaderLength..^Aead.TagLength]);
            if (key.Opener.TryOpen(ticket[KeyIdLength..HeaderLength], keyId, content.Span, ticket[^Aead.TagLength..]))
            {
                return content;
            }

            content.Dispose();
            return null;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            foreach (TicketKey key in _keys)
            {
                key.Dispose();
            }

            _keys.Clear();
        }
    }

    private TicketKey? Find(ReadOnlySpan<byte> keyId, DateTimeOffset now)
    {
        foreach (TicketKey key in _keys)
        {
            if (key.Id.AsSpan().SequenceEqual(keyId) && now < key.SealsUntil + Lifetime)
            {
                return key;
            }
        }

        return null;
    }

    private TicketKey Rotate(DateTimeOffset now)
    {
        if (_keys.Count != 0 && now < _keys[^1].SealsUntil)
        {
            return _keys[^1];
        }

        for (int i = _keys.Count - 1; i >= 0; i--)
        {
            if (now >= _keys[i].SealsUntil + Lifetime)
            {
                _keys[i].Dispose();
                _keys.RemoveAt(i);
            }
        }

        Span<byte> secret = stackalloc byte[Suite.KeyLength()];
        _random.Fill(secret);
        byte[] id = new byte[KeyIdLength];
        _random.Fill(id);
        var key = new TicketKey(id, secret, now + _period);
        CryptographicOperations.ZeroMemory(secret);
        _keys.Add(key);
        return key;
    }

    /// <summary>One key and the moment after which it only opens.</summary>
    private sealed class TicketKey(byte[] id, ReadOnlySpan<byte> secret, DateTimeOffset sealsUntil) : IDisposable
    {
        public byte[] Id { get; } = id;

        public Aead Sealer { get; } = CryptoProviderFactory.Default.CreateAead(Suite, KeyDirection.Send, secret);

        public Aead Opener { get; } = CryptoProviderFactory.Default.CreateAead(Suite, KeyDirection.Receive, secret);

        public DateTimeOffset SealsUntil { get; } = sealsUntil;

        public void Dispose()
        {
            Sealer.Dispose();
            Opener.Dispose();
        }
    }
}
