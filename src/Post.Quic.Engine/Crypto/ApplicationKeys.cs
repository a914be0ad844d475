using System.Diagnostics.CodeAnalysis;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Crypto;

/// <summary>
/// The 1-RTT keys of a connection, both directions, through key updates (RFC 9001 section 6). The next receive keys are
/// always ready, the previous ones are kept until told, and a packet costs one attempt with exactly one key, whichever
/// phase it claims. Not thread-safe: a connection uses its keys under its own gate.
/// </summary>
internal sealed class ApplicationKeys : IDisposable
{
    private const byte KeyPhaseBit = 0x04;

    /// <summary>Packets kept back from the confidentiality limit, to close the connection with.</summary>
    private const ulong ReservedForClosing = 64;

    private readonly CryptoProvider _provider;
    private readonly QuicVersion _version;
    private readonly AeadLimits _limits;
    private readonly KeyPhaseLog _log = new();

    private TrafficSecret? _sendSecret;
    private HeaderProtection? _sendHeader;
    private PacketProtection? _send;
    private ulong _sealed;
    private bool _currentSendPhaseAcknowledged;

    private TrafficSecret? _receiveSecret;
    private HeaderProtection? _receiveHeader;
    private PacketProtection? _previous;
    private PacketProtection? _current;
    private PacketProtection? _next;
    private ulong _failures;

    public ApplicationKeys(CryptoProvider provider, QuicVersion version, CipherSuite suite)
        : this(provider, version, suite, AeadLimits.For(suite))
    {
    }

    /// <summary>With limits of one's own: so that a test need not protect 2^23 packets.</summary>
    internal ApplicationKeys(CryptoProvider provider, QuicVersion version, CipherSuite suite, AeadLimits limits)
    {
        _provider = provider;
        _version = version;
        Suite = suite;
        _limits = limits;
    }

    public CipherSuite Suite { get; }

    /// <summary>A server has these before its receive keys.</summary>
    [MemberNotNullWhen(true, nameof(_send), nameof(_sendHeader), nameof(_sendSecret))]
    public bool CanSend => _send is not null;

    [MemberNotNullWhen(true, nameof(_current), nameof(_next), nameof(_receiveHeader), nameof(_receiveSecret))]
    public bool CanReceive => _current is not null;

    /// <summary>How often the send keys were updated; its lowest bit is the Key Phase bit of what we send.</summary>
    public ulong SendGeneration { get; private set; }

    /// <summary>How often the receive keys were updated.</summary>
    public ulong ReceiveGeneration { get; private set; }

    /// <summary>The generation of the keys that opened the last packet, for <see cref="OnAcknowledged"/>.</summary>
    public ulong OpenedGeneration { get; private set; }

    /// <summary>Previous receive keys are kept; they go with <see cref="DropPrevious"/>.</summary>
    public bool HasPrevious => _previous is not null;

    /// <summary>Received packets that failed to authenticate, across all generations.</summary>
    public ulong AuthenticationFailures => _failures;

    /// <summary>Packets protected with the current send keys.</summary>
    public ulong PacketsProtected => _sealed;

    /// <summary>
    /// Half of the confidentiality limit is used: time for <see cref="TryInitiateUpdate"/>, with room for an update that
    /// has to wait for its turn.
    /// </summary>
    public bool NeedsUpdate => _sealed >= _limits.Confidentiality / 2;

    /// <summary>
    /// RFC 9001 section 6.6: no update came in time, so the connection must close with AEAD_LIMIT_REACHED while it still can.
    /// </summary>
    public bool IsConfidentialityLimitNear => _sealed + ReservedForClosing >= _limits.Confidentiality;

    /// <summary>
    /// An update may be initiated, the handshake being confirmed. RFC 9001 section 6.1: not before the peer has
    /// acknowledged a packet of the current phase. Section 6.5: nor before the peer had the time to drop its previous keys,
    /// for which ours being dropped stands.
    /// </summary>
    public bool CanInitiateUpdate =>
        CanSend && CanReceive
        && SendGeneration == ReceiveGeneration
        && (SendGeneration == 0 || _currentSendPhaseAcknowledged)
        && _previous is null;

    public void InstallSend(ReadOnlySpan<byte> secret)
    {
        _sendHeader = PacketKeys.CreateHeaderProtection(_provider, _version, Suite, secret);
        _sendSecret = new TrafficSecret(_version, Suite, secret);
        _send = _sendSecret.CreateKeys(_provider, KeyDirection.Send);
    }

    public void InstallReceive(ReadOnlySpan<byte> secret)
    {
        _receiveHeader = PacketKeys.CreateHeaderProtection(_provider, _version, Suite, secret);
        _receiveSecret = new TrafficSecret(_version, Suite, secret);
        _current = _receiveSecret.CreateKeys(_provider, KeyDirection.Receive);
        PrepareNext();
    }

    /// <summary>
    /// Protects a packet in place, as <see cref="PacketKeys.Protect"/> does, and sets its Key Phase bit.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// There are no send keys, or the confidentiality limit is reached: the caller heeds
    /// <see cref="IsConfidentialityLimitNear"/>.
    /// </exception>
    public void Protect(
        Span<byte> packet, int packetNumberOffset, int packetNumberLength, ulong packetNumber, uint pathId = 0)
    {
        if (!CanSend || _sealed >= _limits.Confidentiality)
        {
            throw new InvalidOperationException("There are no 1-RTT keys that may protect one more packet.");
        }

        ref KeyPhaseLog.Entry path = ref _log.For(pathId);
        path.FirstSent = Math.Min(path.FirstSent, packetNumber);
        _sealed++;
        packet[0] = (byte)((packet[0] & ~KeyPhaseBit) | ((SendGeneration & 1) != 0 ? KeyPhaseBit : 0));
        _send.Seal(packet, packetNumberOffset + packetNumberLength, packetNumber, pathId);
        _sendHeader.Apply(packet, packetNumberOffset, packetNumberLength);
    }

    /// <summary>Shows the header in place: see <see cref="HeaderProtection.TryRemove"/>. Needs <see cref="CanReceive"/>.</summary>
    public bool TryUnprotectHeader(
        Span<byte> packet, int packetNumberOffset, out int packetNumberLength, out uint truncatedPacketNumber)
    {
        packetNumberLength = 0;
        truncatedPacketNumber = 0;
        return CanReceive
            && _receiveHeader.TryRemove(packet, packetNumberOffset, out packetNumberLength, out truncatedPacketNumber);
    }

    /// <summary>
    /// Decrypts in place a packet whose header has been shown; the payload then ends <see cref="PacketKeys.Overhead"/>
    /// bytes before the end.
    /// </summary>
    public OpenOutcome TryOpen(Span<byte> packet, int headerLength, ulong packetNumber, uint pathId = 0)
    {
        if (!CanReceive)
        {
            return OpenOutcome.Undecryptable;
        }

        bool phase = (packet[0] & KeyPhaseBit) != 0;
        if (phase == ((ReceiveGeneration & 1) != 0))
        {
            return _current.TryOpen(packet, headerLength, packetNumber, pathId)
                ? OnOpenedWithCurrent(packetNumber, pathId)
                : OnFailure();
        }

        // RFC 9001 section 6.5: the packet number tells a late packet of the previous phase from one of the next. One
        // attempt either way, and where the previous keys are gone the attempt is with the next ones: no branch here
        // takes less time for having seen the hidden Key Phase bit (section 9.5).
        if (_previous is not null && IsBeforeCurrentPhase(packetNumber, pathId))
        {
            return _previous.TryOpen(packet, headerLength, packetNumber, pathId)
                ? OnOpenedWithPrevious(packetNumber, pathId)
                : OnFailure();
        }

        return _next.TryOpen(packet, headerLength, packetNumber, pathId)
            ? OnOpenedWithNext(packetNumber, pathId)
            : OnFailure();
    }

    /// <summary>Updates the send keys; the receive keys follow when the peer does. False: see <see cref="CanInitiateUpdate"/>.</summary>
    public bool TryInitiateUpdate()
    {
        if (!CanInitiateUpdate)
        {
            return false;
        }

        AdvanceSend();
        return true;
    }

    /// <summary>
    /// An ACK frame came: the largest number it acknowledges, and the generation of the keys that opened the packet it came
    /// in (<see cref="OpenedGeneration"/>).
    /// </summary>
    public TransportError OnAcknowledged(uint pathId, ulong largestAcknowledged, ulong carriedByGeneration)
    {
        if (largestAcknowledged < _log.For(pathId).FirstSent)
        {
            return TransportError.None;
        }

        // RFC 9001 section 6.2: whoever acknowledges a packet of the new phase has the new keys and must be using them.
        if (carriedByGeneration < SendGeneration)
        {
            return new TransportError(TransportErrorCode.KeyUpdateError, "A new phase was acknowledged under old keys.");
        }

        _currentSendPhaseAcknowledged = true;
        return TransportError.None;
    }

    /// <summary>RFC 9001 section 6.5: forgets the previous receive keys, three PTOs after the phase began.</summary>
    public void DropPrevious()
    {
        _previous?.Dispose();
        _previous = null;
    }

    public void Dispose()
    {
        _sendSecret?.Dispose();
        _sendHeader?.Dispose();
        _send?.Dispose();
        _send = null;
        _receiveSecret?.Dispose();
        _receiveHeader?.Dispose();
        _previous?.Dispose();
        _previous = null;
        _current?.Dispose();
        _current = null;
        _next?.Dispose();
    }

    private bool IsBeforeCurrentPhase(ulong packetNumber, uint pathId) =>
        packetNumber < _log.For(pathId).CurrentStart;

    private OpenOutcome OnOpenedWithCurrent(ulong packetNumber, uint pathId)
    {
        OpenedGeneration = ReceiveGeneration;
        ref KeyPhaseLog.Entry path = ref _log.For(pathId);

        // RFC 9001 section 6.4: no packet may have older keys than one with a lower number.
        if (packetNumber < path.PreviousEnd)
        {
            return OpenOutcome.KeyUpdateError;
        }

        path.CurrentStart = Math.Min(path.CurrentStart, packetNumber);
        path.CurrentEnd = Math.Max(path.CurrentEnd, packetNumber + 1);
        return OpenOutcome.Opened;
    }

    private OpenOutcome OnOpenedWithPrevious(ulong packetNumber, uint pathId)
    {
        OpenedGeneration = ReceiveGeneration - 1;
        ref KeyPhaseLog.Entry path = ref _log.For(pathId);
        path.PreviousEnd = Math.Max(path.PreviousEnd, packetNumber + 1);
        return OpenOutcome.Opened;
    }

    private OpenOutcome OnOpenedWithNext(ulong packetNumber, uint pathId)
    {
        ref KeyPhaseLog.Entry path = ref _log.For(pathId);

        // RFC 9001 section 6.4, as above: newer keys below a number that already came with older ones.
        if (packetNumber < Math.Max(path.CurrentEnd, path.PreviousEnd))
        {
            return OpenOutcome.KeyUpdateError;
        }

        // RFC 9001 section 6.2: we answered the peer's last update but sent nothing since, so nothing of ours can have
        // acknowledged it, and the peer updates again without having waited.
        if (ReceiveGeneration > 0 && SendGeneration == ReceiveGeneration && _sealed == 0)
        {
            return OpenOutcome.KeyUpdateError;
        }

        DropPrevious();
        _previous = _current;
        _current = _next;
        ReceiveGeneration++;
        OpenedGeneration = ReceiveGeneration;
        PrepareNext();
        _log.OnReceivePhaseAdvanced();
        if (SendGeneration < ReceiveGeneration)
        {
            // RFC 9001 section 6.2: the peer's update is answered with our own, before anything else is sent.
            AdvanceSend();
        }

        path = ref _log.For(pathId);
        path.CurrentStart = packetNumber;
        path.CurrentEnd = packetNumber + 1;
        return OpenOutcome.OpenedInNewPhase;
    }

    private OpenOutcome OnFailure() =>
        ++_failures >= _limits.Integrity ? OpenOutcome.IntegrityLimitReached : OpenOutcome.Undecryptable;

    private void AdvanceSend()
    {
        SendGeneration++;
        _sealed = 0;
        _currentSendPhaseAcknowledged = false;
        _log.OnSendPhaseAdvanced();
        if (CanSend)
        {
            _sendSecret.Advance();
            _send.Dispose();
            _send = _sendSecret.CreateKeys(_provider, KeyDirection.Send);
        }
    }

    /// <summary>RFC 9001 section 6.3: the next keys are made ahead, so that no packet's processing time shows a key update.</summary>
    private void PrepareNext()
    {
        _receiveSecret!.Advance();
        _next = _receiveSecret.CreateKeys(_provider, KeyDirection.Receive);
    }
}
