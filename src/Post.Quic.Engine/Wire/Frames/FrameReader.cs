using System.Diagnostics.CodeAnalysis;

namespace Post.Quic.Engine.Wire.Frames;

/// <summary>
/// Walks the payload of a packet frame by frame and keeps what the frames together say of the packet. After
/// <see cref="TryReadType"/> the frame's TryParse reads <see cref="Body"/>; if that fails, the answer is
/// <see cref="Malformed"/>.
/// </summary>
internal ref struct FrameReader
{
    private readonly EncryptionLevel _level;
    private readonly bool _fromServer;
    private readonly FrameExtensions _extensions;
    private WireReader _reader;
    private ulong _type;

    public FrameReader(ReadOnlySpan<byte> payload, EncryptionLevel level, bool fromServer, FrameExtensions extensions)
    {
        _reader = new WireReader(payload);
        _level = level;
        _fromServer = fromServer;
        _extensions = extensions;

        // RFC 9000 section 12.4: a packet without frames is PROTOCOL_VIOLATION.
        Error = payload.IsEmpty
            ? new TransportError(TransportErrorCode.ProtocolViolation, "packet without frames")
            : TransportError.None;
    }

    /// <summary>Why the walk ended before the end of the payload, if it did.</summary>
    public TransportError Error { get; private set; }

    /// <summary>A frame so far asks for an acknowledgement.</summary>
    public bool IsAckEliciting { get; private set; }

    /// <summary>A frame so far is not a probing one: the packet means its path to be used (RFC 9000 section 9.1).</summary>
    public bool IsNonProbing { get; private set; }

    /// <summary>Bytes of PADDING so far.</summary>
    public int PaddingLength { get; private set; }

    /// <summary>What follows the frame type.</summary>
    [UnscopedRef]
    public ref WireReader Body => ref _reader;

    /// <summary>
    /// Goes to the next frame, passing over PADDING. False at the end of the payload, and at a frame that must not
    /// be there: then <see cref="Error"/> says why.
    /// </summary>
    public bool TryReadType(out ulong type)
    {
        type = 0;
        if (Error.IsError)
        {
            return false;
        }

        SkipPadding();
        if (_reader.IsEmpty)
        {
            return false;
        }

        int start = _reader.Position;
        if (!_reader.TryReadVarInt(out type))
        {
            Error = new TransportError(TransportErrorCode.FrameEncodingError, "truncated frame type");
            return false;
        }

        // RFC 9000 section 12.4: types are in the shortest form; a longer one may be refused with PROTOCOL_VIOLATION,
        // and is, since it only serves to slip past whoever matches on bytes.
        if (_reader.Position - start != VarInt.Length(type))
        {
            Error = new TransportError(TransportErrorCode.ProtocolViolation, "frame type not in shortest form", type);
            return false;
        }

        Error = FrameRules.Check(type, _level, _fromServer, _extensions);
        if (Error.IsError)
        {
            return false;
        }

        _type = type;
        FrameRule rule = FrameRules.For(type);
        IsAckEliciting |= (rule & FrameRule.AckEliciting) != 0;
        IsNonProbing |= (rule & FrameRule.Probing) == 0;
        return true;
    }

    /// <summary>The error for a frame whose fields could not be read or contradict each other (RFC 9000 section 12.4).</summary>
    public readonly TransportError Malformed() =>
        new(TransportErrorCode.FrameEncodingError, "malformed frame", _type);

    private void SkipPadding()
    {
        ReadOnlySpan<byte> rest = _reader.Rest;
        int length = rest.IndexOfAnyExcept((byte)FrameType.Padding);
        length = length < 0 ? rest.Length : length;
        _reader.TrySkip(length);
        PaddingLength += length;
    }
}
