using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Post.Quic.Engine.Wire;

/// <summary>A connection id of 0 to 20 bytes (RFC 9000 section 5.1), kept in place: it costs no allocation.</summary>
internal readonly struct ConnectionId : IEquatable<ConnectionId>
{
    /// <summary>RFC 9000 section 17.2: longer ids do not exist in versions 1 and 2.</summary>
    public const int MaxLength = 20;

    private readonly Storage _bytes;
    private readonly byte _length;

    public ConnectionId(scoped ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, MaxLength);
        bytes.CopyTo(_bytes);
        _length = (byte)bytes.Length;
    }

    public int Length => _length;

    public bool IsEmpty => _length == 0;

    [UnscopedRef]
    public ReadOnlySpan<byte> Span => MemoryMarshal.CreateReadOnlySpan(in _bytes[0], _length);

    public static bool operator ==(ConnectionId left, ConnectionId right) => left.Equals(right);

    public static bool operator !=(ConnectionId left, ConnectionId right) => !left.Equals(right);

    /// <summary>False where the bytes are too many for versions 1 and 2, which is for the sender to have known.</summary>
    public static bool TryCreate(scoped ReadOnlySpan<byte> bytes, out ConnectionId id)
    {
        if (bytes.Length > MaxLength)
        {
            id = default;
            return false;
        }

        id = new ConnectionId(bytes);
        return true;
    }

    public bool SequenceEqual(scoped ReadOnlySpan<byte> bytes) => Span.SequenceEqual(bytes);

    public bool Equals(ConnectionId other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is ConnectionId other && Equals(other);

    /// <summary>
    /// Not for tables that a peer can fill: those use a keyed hash, or the peer chooses who collides.
    /// </summary>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }

    public override string ToString() => Convert.ToHexStringLower(Span);

    [InlineArray(MaxLength)]
    private struct Storage
    {
        private byte _element0;
    }
}
