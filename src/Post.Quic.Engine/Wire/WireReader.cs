using System.Buffers.Binary;

namespace Post.Quic.Engine.Wire;

/// <summary>A forward reader over received bytes. Every read can fail; none throws.</summary>
internal ref struct WireReader
{
    private readonly ReadOnlySpan<byte> _source;
    private int _position;

    public WireReader(ReadOnlySpan<byte> source)
    {
        _source = source;
        _position = 0;
    }

    public readonly int Position => _position;

    public readonly int Remaining => _source.Length - _position;

    public readonly bool IsEmpty => _position == _source.Length;

    /// <summary>What has not been read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _source[_position..];

    public bool TryReadByte(out byte value)
    {
        if (_position >= _source.Length)
        {
            value = 0;
            return false;
        }

        value = _source[_position++];
        return true;
    }

    public bool TryReadUInt16(out ushort value)
    {
        if (!BinaryPrimitives.TryReadUInt16BigEndian(Rest, out value))
        {
            return false;
        }

        _position += sizeof(ushort);
        return true;
    }

    public bool TryReadUInt32(out uint value)
    {
        if (!BinaryPrimitives.TryReadUInt32BigEndian(Rest, out value))
        {
            return false;
        }

        _position += sizeof(uint);
        return true;
    }

    public bool TryReadUInt64(out ulong value)
    {
        if (!BinaryPrimitives.TryReadUInt64BigEndian(Rest, out value))
        {
            return false;
        }

        _position += sizeof(ulong);
        return true;
    }

    public bool TryReadVarInt(out ulong value)
    {
        if (!VarInt.TryRead(Rest, out value, out int consumed))
        {
            return false;
        }

        _position += consumed;
        return true;
    }

    public bool TrySkip(int length)
    {
        if ((uint)length > (uint)Remaining)
        {
            return false;
        }

        _position += length;
        return true;
    }

    public bool TryReadBytes(int length, out ReadOnlySpan<byte> value)
    {
        if ((uint)length > (uint)Remaining)
        {
            value = default;
            return false;
        }

        value = _source.Slice(_position, length);
        _position += length;
        return true;
    }

    /// <summary>Reads a length as a variable-length integer, then that many bytes.</summary>
    public bool TryReadVarBytes(out ReadOnlySpan<byte> value)
    {
        int start = _position;
        if (TryReadVarInt(out ulong length) && length <= (ulong)Remaining)
        {
            return TryReadBytes((int)length, out value);
        }

        _position = start;
        value = default;
        return false;
    }
}
