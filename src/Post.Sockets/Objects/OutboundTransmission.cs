namespace Post.Sockets.Objects;

/// <summary>
/// The way of one object over one connection: what is forgotten when that connection is lost, and begins anew on the next. What
/// belongs to the object however it travels stands in <see cref="OutboundObject"/>.
/// </summary>
internal struct OutboundTransmission
{
    /// <summary>The stream it travels on, once it has one.</summary>
    public object? Stream;

    /// <summary>Bytes of payload handed to the transport.</summary>
    public long PayloadTaken;

    /// <summary>Bytes of its header on the stream.</summary>
    public int HeaderLength;

    /// <summary>In which form it was handed over last.</summary>
    public TransmissionForm Form;

    /// <summary>The connection is gone, or its early data void: the object starts anew once the transport has let go of its bytes.</summary>
    public bool IsVoid;

    /// <summary>At least its header was handed over, so the receiver may know of it.</summary>
    public bool IsVisible;

    /// <summary>It was handed over before the handshake was complete.</summary>
    public bool IsEarly;

    /// <summary>The transport has let go of the header: a reset can still deliver it.</summary>
    public bool IsHeaderOut;

    /// <summary>The peer asked to stop sending it, and the transport has reset its stream.</summary>
    public bool IsStopped;

    /// <summary>Its stream was reset with the header delivered: the receiver knows which object died.</summary>
    public bool IsToldByReset;

    /// <summary>The peer's transport has all of it.</summary>
    public bool IsAcknowledged;

    /// <summary>A datagram of it has left.</summary>
    public bool IsDatagramOut;

    /// <summary>Another datagram was sent in the stead of one whose acknowledgement is overdue.</summary>
    public bool IsOverdue;

    /// <summary>The connection takes it as no datagram, whatever size it states: a stream carries it.</summary>
    public bool IsDatagramRefused;

    /// <summary>The connection does not take it in one call: a stream that is opened carries it.</summary>
    public bool IsWholeRefused;

    /// <summary>Bytes that the transport holds of a datagram or of a stream that was handed over whole, counted in <see cref="ChargedClass"/>.</summary>
    public int Charge;

    public int ChargedClass;
}
