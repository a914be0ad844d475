using System.Buffers;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Packets;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// Takes datagrams apart: finds the packets in each, opens them, and has their frames processed. What cannot be
/// authenticated leaves no trace but a counter.
/// </summary>
internal sealed class Ingress
{
    /// <summary>RFC 9000 section 14.1: what carries an Initial packet has at least this many bytes.</summary>
    private const int MinInitialDatagram = 1200;

    /// <summary>RFC 9000 section 10.3: a stateless reset has an unpredictable header before its token.</summary>
    private const int MinStatelessReset = 5 + StatelessResetToken.Length;

    private readonly ConnectionState _state;
    private readonly FrameDispatch _frames;
    private readonly PacketOpener _opener;
    private readonly VersionAndRetry _versionAndRetry;

    public Ingress(ConnectionState state)
    {
        _state = state;
        _frames = new FrameDispatch(state);
        _opener = new PacketOpener(state);
        _versionAndRetry = new VersionAndRetry(state);
    }

    public void Receive(Span<byte> datagram, in DatagramMetadata metadata, long now)
    {
        _state.Counters.DatagramsReceived++;
        _state.Counters.BytesReceived += datagram.Length;
        Path owner = OwnerOf(datagram);
        Network? network = owner.HasNetwork ? owner.Networks.Find(metadata) : null;
        if (network is null && !_state.IsServer && !_state.Paths.IsKnownRemote(metadata.Remote))
        {
            // RFC 9000 section 9: a client discards packets from an unknown server address.
            Drop(datagram.Length, PacketDropReason.UnknownPath, now);
            return;
        }

        if (network is not null)
        {
            network.Amplification.OnReceived(datagram.Length);
            network.BytesReceived += datagram.Length;
        }

        _state.Counters.BytesReceivedBeside += owner.Id == 0 ? 0 : datagram.Length;

        bool authentic = false;
        bool dropInitial = _state.IsServer && datagram.Length < MinInitialDatagram;
        var reader = new DatagramReader(datagram, _state.Paths.First.LocalIds.Length);
        for (int i = 0; i < Limits.MaxPacketsPerDatagram && reader.TryReadNext(out PacketHeader header); i++)
        {
            if (_state.Phase >= ConnectionPhase.Draining)
            {
                return;
            }

            // RFC 9000 section 14.1: a server discards an Initial packet in a smaller datagram: it could be made to
            // answer with more than it got.
            if (dropInitial && header.Type == PacketType.Initial)
            {
                Drop(header.Length, PacketDropReason.Malformed, now);
                continue;
            }

            Span<byte> packet = datagram.Slice(reader.Offset, header.Length);
            authentic |= header.Type switch
            {
                PacketType.VersionNegotiation => _versionAndRetry.OnVersionNegotiation(packet, now),
                PacketType.Retry => _versionAndRetry.OnRetry(header, packet, now),
                _ => HandleProtected(header, packet, metadata, owner, network, datagram.Length, now),
            };
        }

        if (!authentic)
        {
            CheckStatelessReset(datagram, now);
        }

        if (_state.HasNewReceiveKeys)
        {
            ProcessWaiting(now);
        }
    }

    /// <summary>Opens what came before its keys did (RFC 9001 section 5.7).</summary>
    public void ProcessWaiting(long now)
    {
        _state.HasNewReceiveKeys = false;
        ProcessWaiting(EncryptionLevel.EarlyData, now);
        ProcessWaiting(EncryptionLevel.Handshake, now);
        ProcessWaiting(EncryptionLevel.Application, now);
    }

    private void ProcessWaiting(EncryptionLevel level, long now)
    {
        while (_state.Waiting.Count != 0
            && !_state.IsOver
            && _opener.CanOpen(level)
            && _state.Waiting.TryTake(level, out byte[] buffer, out int length, out _, out DatagramMetadata metadata))
        {
            Span<byte> packet = buffer.AsSpan(0, length);
            if (PacketHeader.TryParse(packet, _state.Paths.First.LocalIds.Length, out PacketHeader header) == PacketParseResult.Parsed)
            {
                Path owner = OwnerOf(packet);
                Network? network = owner.HasNetwork ? owner.Networks.Find(metadata) : null;
                _ = HandleProtected(header, packet, metadata, owner, network, 0, now);
            }

            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Returns whether the packet was authentic.</summary>
    private bool HandleProtected(
        in PacketHeader header,
        Span<byte> packet,
        in DatagramMetadata metadata,
        Path path,
        Network? network,
        int datagramLength,
        long now)
    {
        EncryptionLevel level = header.Level;
        if (!IsForUs(header, path, out ulong localId, out PacketDropReason reason))
        {
            Drop(packet.Length, reason, now);
            return false;
        }

        if (!_opener.CanOpen(level))
        {
            // RFC 9001 section 5.7: 0-RTT ahead of its ClientHello, the handshake ahead of its keys.
            bool cannotWait = _state.Keys.IsDiscarded(level)
                || (level == EncryptionLevel.EarlyData && !_state.IsServer)
                || !_state.Waiting.TryAdd(level, packet, header.PacketNumberOffset, metadata, now);
            if (cannotWait)
            {
                Drop(
                    packet.Length,
                    _state.Keys.IsDiscarded(level) ? PacketDropReason.KeysDiscarded : PacketDropReason.KeysUnavailable,
                    now);
            }

            return false;
        }

        // draft-ietf-quic-multipath-21 section 3: only clients open paths.
        if (!path.HasNetwork && (!_state.IsServer || path.Phase == PathPhase.Abandoned))
        {
            Drop(packet.Length, PacketDropReason.UnknownPath, now);
            return false;
        }

        if (!_opener.TryOpen(header, packet, path, now, out ulong number, out int headerLength))
        {
            return false;
        }

        // From here on the packet is the peer's own.
        if (!path.HasNetwork && !TryOpenPath(path, metadata, localId, datagramLength, now, out network))
        {
            Drop(packet.Length, PacketDropReason.UnknownPath, now);
            return true;
        }

        PacketNumberSpace space = _state.Space(level, path);
        if (space.Received.IsDuplicate(number))
        {
            Drop(packet.Length, PacketDropReason.Duplicate, now);
            return true;
        }

        network ??= NetworkOf(level, metadata, path, localId, datagramLength);

        // RFC 9000 section 9.5: without a connection id to spare, nobody is answered at a new address. What the packet says
        // holds all the same; it may bring the very id that is missing.
        bool isStray = network is null;
        network ??= path.Network;
        path.LastHeard = now;
        if (path.Standing != PathStanding.Good && _state.Paths.AreSeveral)
        {
            path.Recovery.ProbeNow(now);
        }

        // Not before the packet is known to be the peer's: anybody can send to another address of ours.
        network.LearnLocal(metadata.Local);
        OnAuthentic(header, network, now);
        var received = new ReceivedPacket(
            level,
            number,
            path,
            network,
            localId,
            level == EncryptionLevel.Application ? _state.Keys.Application!.OpenedGeneration : 0,
            metadata.Ecn,
            metadata.ArrivedAt,
            isStray);
        ReadOnlySpan<byte> payload = packet[headerLength..^PacketKeys.Overhead];
        _state.Trace?.PacketReceived(now, network, level, number, packet.Length, payload);
        if (_state.Phase == ConnectionPhase.Closing)
        {
            _state.Closing.OnPacketWhileClosing();
            _frames.ProcessWhileClosing(payload, received, now);
            return true;
        }

        // RFC 9000 sections 17.2 and 17.3.1: reserved bits other than 0, once the packet is known to be authentic.
        TransportError error = FirstByte.HasReservedBits(packet[0])
            ? new TransportError(TransportErrorCode.ProtocolViolation, "reserved bits are set")
            : TransportError.None;
        bool spin = level == EncryptionLevel.Application && (packet[0] & FirstByte.Spin) != 0;
        if (!error.IsError)
        {
            error = Process(payload, received, space, spin, now);
        }

        if (error.IsError)
        {
            _state.Lifecycle.Fail(error, now);
        }

        return true;
    }

    private TransportError Process(
        ReadOnlySpan<byte> payload, in ReceivedPacket received, PacketNumberSpace space, bool spin, long now)
    {
        bool isHighest = space.Received.Largest is not { } largest || received.Number > largest;
        TransportError error = _frames.Process(payload, received, now, out PacketSummary summary);
        if (error.IsError || _state.IsOver)
        {
            return error;
        }

        _state.Paths.Ids.ReplaceRetired(received.Path, received.Network);
        if (!space.IsDiscarded)
        {
            space.Received.OnReceived(received.Number, summary.IsAckEliciting, received.Ecn, now);
            if (summary.WantsImmediateAck)
            {
                space.Received.RequestAck();
            }
        }

        // Its path may be gone: the peer took the id back that we had for it, and gave no other.
        if (received.Level == EncryptionLevel.Application && isHighest && !received.IsStray && received.Path.Networks.Contains(received.Network))
        {
            received.Path.Ids.OnReceivedFor(received.Network, received.LocalIdSequence);

            // RFC 9000 section 17.4: a server sends what it saw, a client the opposite.
            if (_state.Spins)
            {
                received.Network.Spin = spin == _state.IsServer;
            }

            if (summary.IsNonProbing && received.Path.Phase != PathPhase.Abandoned)
            {
                received.Path.Migration.OnNonProbingPacket(received.Network, now);
            }
        }

        return TransportError.None;
    }

    /// <summary>Version and connection ids: is this a packet of this connection at all?</summary>
    private bool IsForUs(in PacketHeader header, Path path, out ulong localId, out PacketDropReason reason)
    {
        localId = 0;
        reason = PacketDropReason.Malformed;
        if (!header.HasFixedBit && !_state.Settings.GreaseQuicBit)
        {
            return false;
        }

        // RFC 9000 section 17.2.2: a server's Initial packets carry no token.
        if (!_state.IsServer && header.Type == PacketType.Initial && !header.Token.IsEmpty)
        {
            return false;
        }

        reason = PacketDropReason.UnknownConnectionId;
        bool ours = path.LocalIds.TryFind(header.DestinationConnectionId, out localId);
        if (header.Type == PacketType.OneRtt)
        {
            return ours;
        }

        // RFC 9000 section 7.2: until it knows the server's id, a client uses the one it made up.
        if (!ours && !(_state.IsServer
            && header.Type is PacketType.Initial or PacketType.ZeroRtt
            && _state.InitialKeyId.SequenceEqual(header.DestinationConnectionId)))
        {
            return false;
        }

        // RFC 9000 section 7.2: the peer's id does not change during the handshake.
        if ((_state.IsServer || _state.HasHeardPeer) && !_state.PeerInitialSource.SequenceEqual(header.SourceConnectionId))
        {
            return false;
        }

        reason = PacketDropReason.UnexpectedVersion;
        return header.Version == _state.Version.Current
            || header.Version == _state.Version.Original
            || (!_state.IsServer && !_state.Version.IsSettled && _state.Version.IsOurs(header.Version));
    }

    private void OnAuthentic(in PacketHeader header, Network network, long now)
    {
        _state.Counters.PacketsReceived++;
        network.PacketsReceived++;
        _state.Idle.OnReceived(now);
        if (header.Type == PacketType.OneRtt)
        {
            return;
        }

        if (!_state.IsServer)
        {
            // A client that gets an answer has reached the server where it meant to.
            network.IsValidated = true;
            if (!_state.HasHeardPeer)
            {
                OnFirstPacketOfServer(header);
            }

            if (header.Version != _state.Version.Current && !_state.Version.IsSettled)
            {
                _state.Version.Change(header.Version);
                _state.Keys.ChangeInitialVersion(header.Version, _state.InitialKeyId, isClient: true);
            }
        }
        else if (header.Type == PacketType.Handshake)
        {
            // RFC 9000 section 8.1: only who received our Initial can send this. RFC 9001 section 4.9.1: Initial keys
            // go with the first Handshake packet.
            network.IsValidated = true;
            network.Amplification.Validate();
            _state.DiscardLevel(EncryptionLevel.Initial);
        }
    }

    private void OnFirstPacketOfServer(in PacketHeader header)
    {
        _state.HasHeardPeer = true;
        var source = new ConnectionId(header.SourceConnectionId);
        _state.PeerInitialSource = source;
        _state.Paths.First.Network.RemoteId = _state.Paths.First.RemoteIds.SetFirst(source);
    }

    /// <summary>
    /// The path that a datagram belongs to: all of its packets are for one. What begins a connection is for the first, and what is
    /// for nobody is judged as if it were.
    /// </summary>
    private Path OwnerOf(ReadOnlySpan<byte> datagram)
    {
        return _state.Multipath.IsEnabled
            && InvariantHeader.TryParse(datagram, _state.Paths.First.LocalIds.Length, out InvariantHeader header)
            && _state.Paths.Ids.Find(header.DestinationConnectionId, out _) is { } path
                ? path
                : _state.Paths.First;
    }

    /// <summary>Server: the client begins a path. False where nothing could be sent on it.</summary>
    private bool TryOpenPath(
        Path path, in DatagramMetadata metadata, ulong localId, int datagramLength, long now, out Network? network)
    {
        network = _state.IsHandshakeConfirmed ? _state.Multipath.OnOpenedByPeer(path, metadata, localId, now) : null;
        if (network is null)
        {
            return false;
        }

        network.Amplification.OnReceived(datagramLength);
        network.BytesReceived += datagramLength;
        return true;
    }

    /// <summary>The network of an authentic packet from addresses that are not known.</summary>
    private Network? NetworkOf(
        EncryptionLevel level, in DatagramMetadata metadata, Path path, ulong localId, int datagramLength)
    {
        // RFC 9000 section 9: nobody moves before the handshake is confirmed. What comes from elsewhere until then
        // counts, but is answered where the handshake began; and a client's own addresses are its own business.
        if (!_state.IsServer
            || !_state.IsHandshakeConfirmed
            || level != EncryptionLevel.Application
            || path.Phase == PathPhase.Abandoned)
        {
            return path.Network;
        }

        Network? network = path.Networks.AddForPeer(metadata, localId);
        if (network is not null)
        {
            network.Amplification.OnReceived(datagramLength);
            network.BytesReceived += datagramLength;
        }

        return network;
    }

    private void CheckStatelessReset(ReadOnlySpan<byte> datagram, long now)
    {
        if (datagram.Length >= MinStatelessReset && _state.Paths.Ids.IsStatelessReset(datagram[^StatelessResetToken.Length..]))
        {
            // RFC 9000 section 10.3.1: the peer knows nothing of us; there is nobody left to close to.
            _state.Lifecycle.OnStatelessReset(now);
        }
    }

    private void Drop(int size, PacketDropReason reason, long now) => _state.CountDropped(size, reason, now);
}
