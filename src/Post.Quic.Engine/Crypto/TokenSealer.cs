using System.Buffers.Binary;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Crypto;

/// <summary>
/// Seals and opens address-validation tokens (RFC 9000 section 8.1): the server keeps nothing, the client can read and
/// forge nothing, and a token is good only from the address it was given to and for a time. Thread-safe.
/// </summary>
/// <remarks>
/// A token is: kind, epoch, nonce, sealed content, tag. The keys change with each epoch, which lasts as long as a token of
/// that kind lives, so a token is opened with the keys of this epoch or of the one before. Epoch keys come from one root
/// key and the clock: servers that share both accept each other's tokens.
/// </remarks>
internal sealed class TokenSealer : IDisposable
{
    public const int RootKeyLength = 32;

    /// <summary>The longest token sealed here.</summary>
    public const int MaxTokenLength =
        HeaderLength + sizeof(long) + (2 * (1 + ConnectionId.MaxLength)) + Aead.TagLength;

    private const int NonceOffset = 2;
    private const int HeaderLength = NonceOffset + Aead.NonceLength;
    private const int MinTokenLength = HeaderLength + sizeof(long) + Aead.TagLength;
    private const int AddressLength = 16;
    private const int MaxAssociatedLength = NonceOffset + AddressLength + sizeof(ushort);

    private readonly Lock _gate = new();
    private readonly RandomSource _random;
    private readonly TokenEpochKeys _retry;
    private readonly TokenEpochKeys _newToken;

    public TokenSealer(
        CryptoProvider provider, RandomSource random, ReadOnlySpan<byte> rootKey, long newTokenLifetimeMicroseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rootKey.Length, RootKeyLength);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(newTokenLifetimeMicroseconds);
        _random = random;
        _retry = new TokenEpochKeys(provider, rootKey, "retry token"u8, Limits.RetryTokenLifetimeMicroseconds);
        _newToken = new TokenEpochKeys(provider, rootKey, "new token"u8, newTokenLifetimeMicroseconds);
    }

    /// <summary>
    /// Whether a token, good or bad, claims to come from a Retry. RFC 9000 section 8.1.3: such a one that does not open
    /// may be answered with INVALID_TOKEN; any other is as if it were not there.
    /// </summary>
    public static bool ClaimsRetry(ReadOnlySpan<byte> token) =>
        !token.IsEmpty && token[0] == (byte)AddressTokenKind.Retry;

    /// <summary>A token for a Retry packet; returns its length.</summary>
    public int SealRetry(
        in NetworkAddress client,
        in ConnectionId originalDestination,
        in ConnectionId retrySource,
        long now,
        Span<byte> destination)
    {
        Span<byte> content = stackalloc byte[2 * (1 + ConnectionId.MaxLength)];
        int length = 0;
        AppendConnectionId(content, ref length, originalDestination);
        AppendConnectionId(content, ref length, retrySource);
        return Seal(AddressTokenKind.Retry, client, content[..length], now, destination);
    }

    /// <summary>A token for a NEW_TOKEN frame; returns its length.</summary>
    public int SealNewToken(in NetworkAddress client, long now, Span<byte> destination) =>
        Seal(AddressTokenKind.NewToken, client, [], now, destination);

    /// <summary>
    /// False: not sealed here, for another address, or expired. That a token of a NEW_TOKEN frame comes once only is the
    /// business of <see cref="TokenReplayFilter"/>.
    /// </summary>
    public bool TryOpen(ReadOnlySpan<byte> token, in NetworkAddress client, long now, out AddressToken opened)
    {
        opened = default;
        if (token.Length is < MinTokenLength or > MaxTokenLength)
        {
            return false;
        }

        var kind = (AddressTokenKind)token[0];
        TokenEpochKeys? keys = KeysFor(kind);
        if (keys is null)
        {
            return false;
        }

        Span<byte> associated = stackalloc byte[MaxAssociatedLength];
        int associatedLength = WriteAssociatedData(associated, token[..NonceOffset], client);
        Span<byte> buffer = stackalloc byte[MaxTokenLength];
        Span<byte> content = buffer[..(token.Length - HeaderLength - Aead.TagLength)];
        token[HeaderLength..^Aead.TagLength].CopyTo(content);
        lock (_gate)
        {
            Aead? opener = keys.OpenerFor(token[1], now);
            if (opener is null
                || !opener.TryOpen(
                    token[NonceOffset..HeaderLength], associated[..associatedLength], content, token[^Aead.TagLength..]))
            {
                return false;
            }
        }

        long issuedAt = BinaryPrimitives.ReadInt64BigEndian(content);
        if (now - issuedAt > keys.Lifetime)
        {
            return false;
        }

        ReadOnlySpan<byte> rest = content[sizeof(long)..];
        if (kind == AddressTokenKind.NewToken)
        {
            opened = new AddressToken(kind, issuedAt, default, default);
            return rest.IsEmpty;
        }

        if (!TryReadConnectionId(ref rest, out ConnectionId original)
            || !TryReadConnectionId(ref rest, out ConnectionId retrySource))
        {
            return false;
        }

        opened = new AddressToken(kind, issuedAt, original, retrySource);
        return rest.IsEmpty;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _retry.Dispose();
            _newToken.Dispose();
        }
    }

    private static int WriteAssociatedData(Span<byte> destination, ReadOnlySpan<byte> kindAndEpoch, in NetworkAddress client)
    {
        kindAndEpoch.CopyTo(destination);
        client.WriteBytes(destination[NonceOffset..]);

        // A client that comes back later has another port; one that answers a Retry has the same.
        if (kindAndEpoch[0] == (byte)AddressTokenKind.NewToken)
        {
            return NonceOffset + AddressLength;
        }

        BinaryPrimitives.WriteUInt16BigEndian(destination[(NonceOffset + AddressLength)..], client.Port);
        return MaxAssociatedLength;
    }

    private static void AppendConnectionId(Span<byte> destination, ref int position, in ConnectionId id)
    {
        destination[position++] = (byte)id.Length;
        id.Span.CopyTo(destination[position..]);
        position += id.Length;
    }

    private static bool TryReadConnectionId(ref ReadOnlySpan<byte> source, out ConnectionId id)
    {
        id = default;
        if (source.IsEmpty || source[0] > ConnectionId.MaxLength || source.Length <= source[0])
        {
            return false;
        }

        id = new ConnectionId(source.Slice(1, source[0]));
        source = source[(1 + id.Length)..];
        return true;
    }

    private TokenEpochKeys? KeysFor(AddressTokenKind kind) => kind switch
    {
        AddressTokenKind.Retry => _retry,
        AddressTokenKind.NewToken => _newToken,
        _ => null,
    };

    private int Seal(
        AddressTokenKind kind, in NetworkAddress client, ReadOnlySpan<byte> content, long now, Span<byte> destination)
    {
        TokenEpochKeys keys = KeysFor(kind)!;
        int length = HeaderLength + sizeof(long) + content.Length + Aead.TagLength;
        Span<byte> token = destination[..length];
        token[0] = (byte)kind;
        BinaryPrimitives.WriteInt64BigEndian(token[HeaderLength..], now);
        content.CopyTo(token[(HeaderLength + sizeof(long))..]);
        Span<byte> associated = stackalloc byte[MaxAssociatedLength];
        lock (_gate)
        {
            Aead sealer = keys.SealerFor(now, out token[1]);
            _random.Fill(token[NonceOffset..HeaderLength]);
            int associatedLength = WriteAssociatedData(associated, token[..NonceOffset], client);
            sealer.Seal(
                token[NonceOffset..HeaderLength],
                associated[..associatedLength],
                token[HeaderLength..^Aead.TagLength],
                token[^Aead.TagLength..]);
        }

        return length;
    }
}
