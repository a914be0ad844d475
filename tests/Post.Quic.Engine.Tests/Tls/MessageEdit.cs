using System.Buffers.Binary;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tests.Tls;

/// <summary>Changes handshake messages as a faulty or hostile peer would send them, lengths kept right.</summary>
internal static class MessageEdit
{
    public static HandshakeType TypeOf(byte[] message) => (HandshakeType)message[0];

    public static bool HasExtension(byte[] message, ExtensionType type) => Extensions(message).Any(e => e.Type == type);

    public static byte[] WithoutExtension(byte[] message, ExtensionType type) =>
        WithExtensions(message, [.. Extensions(message).Where(e => e.Type != type)]);

    public static byte[] WithExtension(byte[] message, ExtensionType type, params byte[] body) =>
        WithExtensions(message, Extensions(message).Any(e => e.Type == type)
            ? [.. Extensions(message).Select(e => e.Type == type ? (type, body) : e)]
            : [.. Extensions(message), (type, body)]);

    public static byte[] WithExtensionFirst(byte[] message, ExtensionType type, params byte[] body) =>
        WithExtensions(message, [(type, body), .. Extensions(message)]);

    public static byte[] WithExtensionTwice(byte[] message, ExtensionType type) => WithExtensions(
        message, [.. Extensions(message), Extensions(message).First(e => e.Type == type)]);

    public static byte[] Extension(byte[] message, ExtensionType type) => Extensions(message).First(e => e.Type == type).Body;

    public static byte[] WithByte(byte[] message, Index index, byte value)
    {
        byte[] changed = [.. message];
        changed[index] = value;
        return changed;
    }

    public static byte[] WithBitFlipped(byte[] message, Index index) => WithByte(message, index, (byte)(message[index] ^ 1));

    /// <summary>Replaces bytes in the body, which may change its length.</summary>
    public static byte[] WithBytes(byte[] message, int offset, int count, params byte[] replacement) =>
        WithLength([.. message[..offset], .. replacement, .. message[(offset + count)..]]);

    public static byte[] Message(HandshakeType type, params byte[] body) => WithLength([(byte)type, 0, 0, 0, .. body]);

    private static byte[] WithExtensions(byte[] message, List<(ExtensionType Type, byte[] Body)> extensions)
    {
        int start = ExtensionsOffset(message);
        var block = new MessageWriter();
        foreach ((ExtensionType type, byte[] body) in extensions)
        {
            block.WriteUInt16((ushort)type);
            block.WriteVector16(body);
        }

        var whole = new MessageWriter();
        whole.WriteBytes(message.AsSpan(0, start));
        whole.WriteVector16(block.Written);
        return WithLength(whole.Written.ToArray());
    }

    private static List<(ExtensionType Type, byte[] Body)> Extensions(byte[] message)
    {
        int position = ExtensionsOffset(message);
        int end = position + 2 + BinaryPrimitives.ReadUInt16BigEndian(message.AsSpan(position));
        var extensions = new List<(ExtensionType Type, byte[] Body)>();
        for (position += 2; position < end;)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(message.AsSpan(position + 2));
            extensions.Add((
                (ExtensionType)BinaryPrimitives.ReadUInt16BigEndian(message.AsSpan(position)),
                message[(position + 4)..(position + 4 + length)]));
            position += 4 + length;
        }

        return extensions;
    }

    private static int ExtensionsOffset(byte[] message)
    {
        const int afterRandom = HandshakeAssembler.HeaderLength + 2 + 32;
        switch (TypeOf(message))
        {
            case HandshakeType.ClientHello:
                int position = afterRandom + 1 + message[afterRandom];
                position += 2 + BinaryPrimitives.ReadUInt16BigEndian(message.AsSpan(position));
                return position + 1 + message[position];
            case HandshakeType.ServerHello:
                return afterRandom + 1 + message[afterRandom] + 3;
            case HandshakeType.EncryptedExtensions:
                return HandshakeAssembler.HeaderLength;
            case HandshakeType.CertificateRequest:
                return HandshakeAssembler.HeaderLength + 1;
            case HandshakeType.NewSessionTicket:
                position = HandshakeAssembler.HeaderLength + 8;
                position += 1 + message[position];
                return position + 2 + BinaryPrimitives.ReadUInt16BigEndian(message.AsSpan(position));
            default:
                throw new ArgumentException("The message has no extensions of its own.", nameof(message));
        }
    }

    private static byte[] WithLength(byte[] message)
    {
        int length = message.Length - HandshakeAssembler.HeaderLength;
        message[1] = (byte)(length >> 16);
        message[2] = (byte)(length >> 8);
        message[3] = (byte)length;
        return message;
    }
}
