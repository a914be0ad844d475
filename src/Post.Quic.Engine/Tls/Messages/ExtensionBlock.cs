using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>The extensions of one message, checked for form, repetition and place when parsed.</summary>
internal readonly ref struct ExtensionBlock
{
    private readonly ReadOnlySpan<byte> _block;

    private ExtensionBlock(ReadOnlySpan<byte> block)
    {
        _block = block;
    }

    public static TransportError Parse(ReadOnlySpan<byte> block, ExtensionPlace place, out ExtensionBlock extensions)
    {
        extensions = default;
        Span<ushort> seen = stackalloc ushort[Limits.MaxTlsExtensions];
        int count = 0;
        var reader = new WireReader(block);
        while (!reader.IsEmpty)
        {
            if (!reader.TryReadUInt16(out ushort type) || !reader.TryReadVector16(out _))
            {
                return TlsError.Decode("An extension is cut off.");
            }

            if (count == seen.Length)
            {
                return TlsError.Illegal("There are too many extensions.");
            }

            // RFC 8446 section 4.2: there MUST NOT be more than one extension of the same type in a block.
            if (seen[..count].Contains(type))
            {
                return TlsError.Illegal("An extension is repeated.");
            }

            TransportError misplaced = place.Check((ExtensionType)type);
            if (misplaced.IsError)
            {
                return misplaced;
            }

            seen[count++] = type;
        }

        extensions = new ExtensionBlock(block);
        return default;
    }

    public bool TryFind(ExtensionType type, out ReadOnlySpan<byte> body) => TryFind(_block, type, out body);

    /// <summary>Finds an extension in a block that has not been checked.</summary>
    public static bool TryFind(ReadOnlySpan<byte> block, ExtensionType type, out ReadOnlySpan<byte> body)
    {
        var entries = new Enumerator(block);
        while (entries.MoveNext())
        {
            if (entries.Current.Type == type)
            {
                body = entries.Current.Body;
                return true;
            }
        }

        body = default;
        return false;
    }

    public bool IsLast(ExtensionType type)
    {
        bool isLast = false;
        foreach (Entry entry in this)
        {
            isLast = entry.Type == type;
        }

        return isLast;
    }

    public Enumerator GetEnumerator() => new(_block);

    /// <summary>One extension.</summary>
    public readonly ref struct Entry(ExtensionType type, ReadOnlySpan<byte> body)
    {
        public ExtensionType Type { get; } = type;

        public ReadOnlySpan<byte> Body { get; } = body;
    }

    /// <summary>Walks the extensions in their order.</summary>
    public ref struct Enumerator(ReadOnlySpan<byte> block)
    {
        private WireReader _reader = new(block);
        private ushort _type;
        private ReadOnlySpan<byte> _body;

        public readonly Entry Current => new((ExtensionType)_type, _body);

        public bool MoveNext() => _reader.TryReadUInt16(out _type) && _reader.TryReadVector16(out _body);
    }
}
