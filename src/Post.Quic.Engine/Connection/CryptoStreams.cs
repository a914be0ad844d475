using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// The handshake's bytes of each level, both ways (RFC 9000 section 7.5, RFC 9001 section 4.1.3): what TLS wants sent,
/// until it is acknowledged, and what arrived, until TLS can read it in order.
/// </summary>
internal sealed class CryptoStreams
{
    private readonly BlockPool _pool;
    private Level? _initial;
    private Level? _handshake;
    private Level? _application;

    public CryptoStreams(BlockPool pool)
    {
        _pool = pool;
    }

    public void Send(EncryptionLevel level, ReadOnlySpan<byte> data) => Open(level).Outgoing.AppendCopy(data);

    public bool HasDataToSend(EncryptionLevel level) =>
        Find(level) is { } stream && stream.Outgoing.TryGetNext(ulong.MaxValue, out _);

    /// <summary>Writes CRYPTO frames while they fit and there is data.</summary>
    public bool WriteFrames(EncryptionLevel level, ref WireWriter writer, SentFrameLog log)
    {
        if (Find(level) is not { } stream)
        {
            return false;
        }

        bool wrote = false;
        while (stream.Outgoing.TryGetNext(ulong.MaxValue, out OffsetRange range))
        {
            int room = CryptoFrame.MaxData(writer.Remaining, range.Start);
            if (room <= 0)
            {
                break;
            }

            int length = (int)Math.Min((ulong)room, range.End - range.Start);
            CryptoFrame.WriteHeader(ref writer, range.Start, length);
            stream.Outgoing.CopyTo(range.Start, writer.Rest[..length]);
            writer.Advance(length);
            stream.Outgoing.OnSent(range.Start, length, fin: false);
            log.Record(SentFrame.Crypto(level, range.Start, (uint)length));
            wrote = true;
        }

        return wrote;
    }

    public void OnAcked(in SentFrame frame) =>
        Find((EncryptionLevel)frame.Id)?.Outgoing.OnAcked(frame.Offset, frame.Length, fin: false);

    public void OnLost(in SentFrame frame) =>
        Find((EncryptionLevel)frame.Id)?.Outgoing.OnLost(frame.Offset, frame.Length, fin: false);

    /// <summary>Takes in a CRYPTO frame and gives TLS what is in order now.</summary>
    public TransportError Receive(EncryptionLevel level, in CryptoFrame frame, TlsSession tls, long now)
    {
        Level stream = Open(level);
        ReceiveAssembler incoming = stream.Incoming;
        ReadOnlySpan<byte> next = incoming.TakeInOrder(frame.Offset, frame.Data, frame.Data.Length);
        if (!next.IsEmpty)
        {
            TransportError error = tls.Receive(level, next, now);

            // What completes the handshake also discards its keys, and with them this very stream.
            if (error.IsError || Find(level) != stream)
            {
                return error;
            }
        }

        // RFC 9000 section 7.5: what exceeds the room for CRYPTO data is CRYPTO_BUFFER_EXCEEDED.
        if (incoming.Insert(frame.Offset, frame.Data) != AssemblyResult.Accepted)
        {
            return new TransportError(TransportErrorCode.CryptoBufferExceeded, "too much CRYPTO data out of order");
        }

        while (incoming.PeekFirst() is { IsEmpty: false } ready)
        {
            TransportError error = tls.Receive(level, ready, now);
            if (error.IsError || Find(level) != stream)
            {
                return error;
            }

            incoming.Consume(ready.Length);
        }

        return TransportError.None;
    }

    /// <summary>
    /// RFC 9001 section 4.1.3: data of a level that is left over when the keys of a later one come, is a
    /// PROTOCOL_VIOLATION.
    /// </summary>
    public bool HasUnread(EncryptionLevel level) => Find(level) is { } stream && stream.Incoming.HeldBytes != 0;

    public void Discard(EncryptionLevel level)
    {
        ref Level? slot = ref Slot(level);
        slot?.Outgoing.Clear();
        slot?.Incoming.Clear();
        slot = null;
    }

    private Level? Find(EncryptionLevel level) => Slot(level);

    private Level Open(EncryptionLevel level) => Slot(level) ??= new Level(_pool);

    private ref Level? Slot(EncryptionLevel level)
    {
        switch (level)
        {
            case EncryptionLevel.Initial:
                return ref _initial;
            case EncryptionLevel.Handshake:
                return ref _handshake;
            default:
                return ref _application;
        }
    }

    private sealed class Level(BlockPool pool)
    {
        public SendBuffer Outgoing { get; } = new(pool);

        public ReceiveAssembler Incoming { get; } = new(pool, AssemblerLimits.Crypto);
    }
}
