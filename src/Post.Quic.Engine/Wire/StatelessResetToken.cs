using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Post.Quic.Engine.Wire;

/// <summary>The 16 bytes that end a stateless reset (RFC 9000 section 10.3), kept in place.</summary>
internal readonly struct StatelessResetToken : IEquatable<StatelessResetToken>
{
    public const int Length = 16;

    private readonly Storage _bytes;

    public StatelessResetToken(scoped ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, Length);
        bytes.CopyTo(_bytes);
    }

    [UnscopedRef]
    public ReadOnlySpan<byte> Span => MemoryMarshal.CreateReadOnlySpan(in _bytes[0], Length);

    public static bool operator ==(StatelessResetToken left, StatelessResetToken right) => left.Equals(right);

    public static bool operator !=(StatelessResetToken left, StatelessResetToken right) => !left.Equals(right);

    /// <summary>RFC 9000 section 10.3.1: compared in constant time, or its bytes could be guessed one by one.</summary>
    public bool Equals(StatelessResetToken other) => CryptographicOperations.FixedTimeEquals(Span, other.Span);

    /// <summary>Whether these bytes, the end of a datagram, are this token; in constant time.</summary>
    public bool Matches(scoped ReadOnlySpan<byte> bytes) => CryptographicOperations.FixedTimeEquals(Span, bytes);

    public override bool Equals(object? obj) => obj is StatelessResetToken other && Equals(other);

    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }

    /// <summary>Never the bytes: who reads them in a log can end the connection.</summary>
    public override string ToString() => "stateless reset token";

    [InlineArray(Length)]
    private struct Storage
    {
        private byte _element0;
    }
}
