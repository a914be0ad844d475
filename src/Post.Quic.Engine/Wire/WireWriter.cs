using System.Buffers.Binary;

namespace Post.Quic.Engine.Wire;

/// <summary>
/// A forward writer into a buffer of fixed size. The caller asks <see cref="Remaining"/> before it writes: running
/// over the end is a bug of ours and throws.
/// </summary>
internal ref struct WireWriter
{
    private readonly Span<byte> _destination;
    private int _position;

    public WireWriter(Span<byte> destination)
    {
        _destination = destination;
        _position = 0;
    }

    public readonly int Position => _position;

    public readonly int Remaining => _destination.Length - _position;

    public readonly Span<byte> Written => _destination[.._position];

    /// <summary>What has not been written yet; follow with <see cref="Advance"/>.</summary>
    public readonly Span<byte> Rest => _destination[_position..];

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)Remaining);
        _position += count;
    }

    public void WriteByte(byte value) => _destination[_position++] = value;

    public void WriteUInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(Rest, value);
        _position += sizeof(ushort);
    }

    public void WriteUInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Rest, value);
        _position += sizeof(uint);
    }

    public void WriteUInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(Rest, value);
        _position += sizeof(ulong);
    }

    public void WriteVarInt(ulong value) => _position += VarInt.Write(Rest, value);

    /// <summary>Writes in <paramref name="length"/> bytes (1, 2, 4 or 8) whatever the value.</summary>
    public void WriteVarInt(ulong value, int length) => _position += VarInt.Write(Rest, value, length);

    public void WriteBytes(scoped ReadOnlySpan<byte> value)
    {
        value.CopyTo(Rest);
        _position += value.Length;
    }

    /// <summary>Writes the length as a variable-length integer, then the bytes.</summary>
    public void WriteVarBytes(scoped ReadOnlySpan<byte> value)
    {
        WriteVarInt((ulong)value.Length);
        WriteBytes(value);
    }
}
