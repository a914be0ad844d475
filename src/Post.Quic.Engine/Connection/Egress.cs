using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// Builds the datagrams that are to be sent now, in batches of one destination, one mark and one size, so that each
/// batch is one call of the operating system.
/// </summary>
internal sealed class Egress
{
    /// <summary>RFC 9000 section 14.1: the size of a datagram with an Initial packet, and of one that probes a path.</summary>
    private const int FullDatagram = 1200;

    /// <summary>A datagram that falls short of the batch's size by so little is padded, so that the batch goes on.</summary>
    private const int SegmentSlack = 48;

    private readonly ConnectionState _state;
    private readonly PacketBuilder _builder;
    private readonly PathWalk _walk;
    private readonly CopyDatagrams _copies;
    private readonly ProbeDatagrams _probes;
    private readonly CloseDatagrams _close;

    public Egress(ConnectionState state)
    {
        _state = state;
        _builder = new PacketBuilder(state);
        _walk = new PathWalk(state);
        _copies = new CopyDatagrams(state, _builder, _walk);
        _probes = new ProbeDatagrams(state, _builder);
        _close = new CloseDatagrams(state, _builder);
    }

    public int Build(Span<byte> buffer, long now, out OutgoingDatagrams batch)
    {
        batch = default;
        foreach (Path path in _state.Paths.Open)
        {
            path.PacingDeadline = long.MaxValue;
        }

        if (_state.Phase >= ConnectionPhase.Draining)
        {
            return 0;
        }

        if (_state.Phase == ConnectionPhase.Closing)
        {
            return _close.Build(buffer, now, out batch);
        }

        if (_state.Keys.CanSend(EncryptionLevel.Application))
        {
            _state.KeyUpdates.BeforeSending(now);
            if (_state.IsOver)
            {
                return _close.Build(buffer, now, out batch);
            }

            while (_state.Paths.FindWithProbe(now, out Path? path) is { } probed)
            {
                int length = _probes.BuildPathProbe(buffer, path!, probed, now, out batch);
                if (length != 0)
                {
                    return length;
                }

                // Nothing may go there now, not even the smallest question: without this the path would be asked for without
                // end, and the paths behind it never.
                probed.Responses.Clear();
                probed.Validation.Defer(now);
            }
        }

        if (!_state.HasDeadlines && IsDeadlineNext)
        {
            _state.OnDeadline(now);
        }

        int total = _copies.AreAny ? _copies.Build(buffer, now, out batch) : 0;
        if (total == 0)
        {
            total = _state.Paths.AreSeveral ? BuildOnSeveral(buffer, now, out batch) : BuildOnOne(buffer, now, out batch);
        }

        if (total != 0)
        {
            return total;
        }

        foreach (Path path in _state.Paths.Open)
        {
            int length = _probes.BuildMtuProbe(buffer, path, now, out batch);
            if (length != 0)
            {
                return length;
            }
        }

        NoteNothingToSend(now);
        return 0;
    }

    private int BuildOnOne(Span<byte> buffer, long now, out OutgoingDatagrams batch)
    {
        Path path = _state.Paths.Main;
        _walk.OpenFor(path);
        return BuildBatch(buffer, path, hasContent: true, now, out batch);
    }

    /// <summary>
    /// All has been sent that may leave now. What waits for the peer's flow control is held back by the receiver, which counts like the
    /// network (draft-ietf-ccwg-bbr section 4.1.1.3.1).
    /// </summary>
    private void NoteNothingToSend(long now)
    {
        if (_state.Streams.AwaitsCredit)
        {
            return;
        }

        foreach (Path path in _state.Paths.Open)
        {
            path.Transmission.OnNothingToSend(now);
        }
    }

    /// <summary>Content by the path that is chosen for it, then what each path has to say for itself: acknowledgements and probes.</summary>
    private int BuildOnSeveral(Span<byte> buffer, long now, out OutgoingDatagrams batch)
    {
        if (_walk.Choose(now) is { } chosen)
        {
            int total = BuildBatch(buffer, chosen, hasContent: true, now, out batch);
            if (total != 0)
            {
                return total;
            }
        }

        foreach (Path path in _state.Paths.Open)
        {
            // The one that stands for all carries what there is even where none of them is validated yet.
            if (path.Phase == PathPhase.Open || path == _state.Paths.Main)
            {
                bool isBound = path.Space.ProbesPending > 0 && _walk.TryOpenBound(path);
                int total = BuildBatch(buffer, path, hasContent: isBound, now, out batch);
                if (total != 0)
                {
                    return total;
                }
            }
        }

        batch = default;
        return 0;
    }

    private bool IsDeadlineNext =>
        (_state.Datagrams.TryPeekUrgency(out SendUrgency datagram) && datagram.Deadline != long.MaxValue)
        || (_state.Streams.TryPeekUrgency(out SendUrgency stream) && stream.Deadline != long.MaxValue);

    /// <summary>What goes by one path.</summary>
    private int BuildBatch(Span<byte> buffer, Path path, bool hasContent, long now, out OutgoingDatagrams batch)
    {
        Network network = path.Network;
        batch = default;
        if (network.IsHeld)
        {
            return 0;
        }

        EcnCodepoint ecn = network.Transmission.Ecn.Mark;
        bool several = _state.Paths.AreSeveral;
        int total = 0;
        int segment = 0;
        for (int count = 0; count < Limits.MaxSegments; count++)
        {
            // Each datagram goes where it gets there first; that the next one does by the same path makes a batch of them.
            if (several && hasContent && count != 0 && _walk.Choose(now) != path)
            {
                break;
            }

            int room = segment != 0 ? segment : SizeOf(network, hasContent);
            if (room > buffer.Length - total)
            {
                break;
            }

            // Data must not eat up what the question takes whose answer ends the limit: asked once in vain, and then never again, a
            // peer that has truly moved would be given up.
            long budget = network.Amplification.Budget - (network.IsValidated ? 0 : Limits.PathProbeReserve);
            room = (int)Math.Clamp(budget, 0, room);
            int length = room == 0 ? 0 : BuildDatagram(buffer.Slice(total, room), path, hasContent, ecn, now);
            if (length == 0)
            {
                break;
            }

            _builder.OnDatagramBuilt(network, length);
            total += length;
            bool isFull = length == room && (segment == 0 || length == segment);
            segment = segment == 0 ? length : segment;
            if (!isFull)
            {
                break;
            }
        }

        batch = new OutgoingDatagrams(network.Local, network.Remote, ecn, segment, total);
        return total;
    }

    /// <summary>What goes by several paths must not be larger than each of them carries.</summary>
    private int SizeOf(Network network, bool hasContent)
    {
        int size = _state.DatagramSize(network);
        return hasContent && _walk.Copies > 1 ? (int)Math.Min(size, (long)_walk.CopyRoom + PacketBuilder.Overhead(network)) : size;
    }

    /// <summary>One datagram with the packets of all levels that have something to say. Returns its length.</summary>
    /// <param name="datagram">Its room.</param>
    /// <param name="path">The path that it goes by.</param>
    /// <param name="mayHaveContent">False for what the path has to say for itself: acknowledgements and probes.</param>
    /// <param name="ecn">Its mark.</param>
    /// <param name="now">The current time.</param>
    private int BuildDatagram(Span<byte> datagram, Path path, bool mayHaveContent, EcnCodepoint ecn, long now)
    {
        Network network = path.Network;
        var last = default(PacketDraft);
        bool hasLast = false;
        bool pad = false;
        bool isShortened = false;
        int start = 0;
        EncryptionLevel first = path == _state.Paths.First ? EncryptionLevel.Initial : EncryptionLevel.Application;
        for (EncryptionLevel level = first; level <= EncryptionLevel.Application; level++)
        {
            if (!_state.Keys.CanSend(level) || !_state.MaySend(level))
            {
                continue;
            }

            PacketNumberSpace space = _state.Space(level, path);
            bool isProbe = space.ProbesPending > 0;
            bool hasContent = mayHaveContent && _state.FrameWriter.HasContent(level, path);
            bool isAckDue = _state.FrameWriter.IsAckDue(level, path, now);
            if (!isProbe && !hasContent && !isAckDue)
            {
                continue;
            }

            int size = isProbe || !hasContent ? datagram.Length : SizeFor(level, path, start, datagram.Length);
            isShortened |= size < datagram.Length;
            SendPermission permission = Ask(space, path, size, hasContent, now);
            if (permission != SendPermission.Allowed && !isProbe && !isAckDue)
            {
                continue;
            }

            if (level == EncryptionLevel.Initial && datagram.Length < FullDatagram)
            {
                // RFC 9000 section 14.1: it could not be padded. It waits until the client has sent more.
                continue;
            }

            // RFC 9002 section 7.5 and 14.4: a probe must get through, so it does not try the path's size.
            int end = isProbe ? Math.Min(datagram.Length, FullDatagram) : size;
            if (!_builder.TryBegin(datagram[..end], start, level, path, network, out PacketDraft draft))
            {
                break;
            }

            var writer = new WireWriter(datagram[draft.PayloadOffset..(end - PacketKeys.Overhead)]);
            draft.Flags = _state.FrameWriter.Write(level, ref writer, path, hasContent, permission, isProbe, now);
            draft.PayloadLength = writer.Position;
            draft.IsFull = writer.Remaining == 0;
            if (draft.PayloadLength == 0)
            {
                space.Frames.Discard();
                continue;
            }

            if (hasContent && level == EncryptionLevel.Application && (_walk.Copies > 1 || space.Frames.LastTry is not null))
            {
                _copies.Take(datagram.Slice(draft.PayloadOffset, draft.PayloadLength), space.Frames, path);
            }

            // Before the next packet is begun behind it: what is padded later would run into that one.
            PacketBuilder.PadForSample(datagram, ref draft);
            if (hasLast)
            {
                _ = _builder.Finish(datagram, ref last, padTo: 0, path, network, ecn, now);
            }

            // RFC 9000 section 14.1: a client pads every datagram with an Initial packet, a server those that ask for
            // an acknowledgement.
            pad |= level == EncryptionLevel.Initial && (!_state.IsServer || draft.IsAckEliciting);
            last = draft;
            hasLast = true;
            start = draft.End;
        }

        if (!hasLast)
        {
            return 0;
        }

        int length = _builder.Finish(datagram, ref last, PadTo(isShortened ? 0 : datagram.Length, last, pad), path, network, ecn, now);
        if (_state.DiscardInitialAfterDatagram)
        {
            _state.DiscardInitialAfterDatagram = false;
            _state.DiscardLevel(EncryptionLevel.Initial);
        }

        return length;
    }

    /// <summary>
    /// How large the packet may become. A window with less room than a datagram is closed to the parts of large streams, which
    /// would become ever smaller; but what goes whole into that room need not wait for more.
    /// </summary>
    private int SizeFor(EncryptionLevel level, Path path, int start, int size)
    {
        long room = path.Transmission.WindowRoom;
        return level == EncryptionLevel.Application
            && start == 0
            && room < size
            && _state.FrameWriter.FirstSize(path) <= room - PacketBuilder.Overhead(path.Network)
            ? (int)room
            : size;
    }

    /// <summary>Whether the congestion window and the pacer let content out; if not, when to look again.</summary>
    private static SendPermission Ask(PacketNumberSpace space, Path path, int size, bool hasContent, long now)
    {
        if (!hasContent)
        {
            return SendPermission.Allowed;
        }

        SendPermission permission = space.CanSend(path.Transmission, size, now);
        if (permission == SendPermission.Pacing)
        {
            path.PacingDeadline = path.Transmission.Pacer.NextSendTime(size, now);
        }

        return permission;
    }

    private int PadTo(int room, in PacketDraft last, bool pad)
    {
        if (pad)
        {
            return FullDatagram;
        }

        // More is to come: a few bytes of padding keep the batch in one piece. A probe that fills its smaller room takes none.
        return last.Level == EncryptionLevel.Application
            && last.IsAckEliciting
            && !last.IsFull
            && room - last.End is > 0 and <= SegmentSlack
            && _state.Streams.HasDataToSend
            ? room
            : 0;
    }
}
