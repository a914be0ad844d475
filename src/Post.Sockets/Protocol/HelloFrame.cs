using System.Buffers.Binary;

namespace Post.Sockets.Protocol;

/// <summary>
/// HELLO: what an end accepts and who it is. A value of this type that nobody filled in is what holds before the peer's
/// HELLO has come, so <c>new HelloFrame()</c> has the defaults of docs/protocol.md.
/// </summary>
internal sealed record HelloFrame
{
    public const int MaxLength = ProtocolLimits.MaxFrameLength;

    private const int AssociationIdLength = 16;

    /// <summary>The largest payload of an object that is accepted, in bytes.</summary>
    public long MaxObjectSize { get; init; } = PostInteger.MaxValue;

    /// <summary>The bytes of objects that are held for the application; more wait in the transport's flow control.</summary>
    public long ReceiveBudget { get; init; } = PostInteger.MaxValue;

    /// <summary>Whether receipts are given after the application has processed an object, not at its delivery.</summary>
    public bool ReceiptsAfterProcessing { get; init; }

    public HelloFeatures Features { get; init; }

    /// <summary>The most antecedents of one object.</summary>
    public long MaxAntecedents { get; init; } = ProtocolLimits.DefaultMaxAntecedents;

    /// <summary>The most objects that may wait for their antecedents.</summary>
    public long MaxWaiting { get; init; } = ProtocolLimits.DefaultMaxWaiting;

    /// <summary>The association that this connection belongs to; zero for none.</summary>
    public UInt128 AssociationId { get; init; }

    /// <summary>
    /// The number of this resumption: the association lived before this connection, and its object ids go on counting. Each attempt has a
    /// higher one; 0 where nothing is resumed.
    /// </summary>
    public long Resumption { get; init; }

    /// <summary>All of the sender's objects below this id have ended.</summary>
    public long LowestId { get; init; }

    /// <summary>The peer's unfinished objects that this end holds, where the connection resumes an association.</summary>
    public HeldObjects Held { get; init; } = HeldObjects.None;

    /// <summary>From a listener: where else it can be reached.</summary>
    public FurtherAddresses Addresses { get; init; } = FurtherAddresses.None;

    public static bool TryParse(ReadOnlySpan<byte> payload, out HelloFrame hello)
    {
        var defaults = new HelloFrame();
        hello = defaults;
        long maxObjectSize = defaults.MaxObjectSize;
        long receiveBudget = defaults.ReceiveBudget;
        long receiptLevel = 0;
        long features = 0;
        long maxAntecedents = defaults.MaxAntecedents;
        long maxWaiting = defaults.MaxWaiting;
        long lowestId = 0;
        UInt128 associationId = UInt128.Zero;
        long resumption = 0;
        var held = HeldObjects.None;
        var addresses = FurtherAddresses.None;
        ulong seen = 0;

        var reader = new PostReader(payload);
        for (int count = 0; !reader.IsAtEnd; count++)
        {
            if (count == ProtocolLimits.MaxHelloParameters
                || !reader.TryReadInteger(out long id)
                || !reader.TryReadInteger(out long length)
                || !reader.TryReadBytes(length, out ReadOnlySpan<byte> value))
            {
                return false;
            }

            if (id > HelloParameter.Addresses)
            {
                continue;
            }

            // A second value would leave it to chance which of them holds.
            if ((seen & (1UL << (int)id)) != 0)
            {
                return false;
            }

            seen |= 1UL << (int)id;
            bool valid = id switch
            {
                HelloParameter.MaxObjectSize => TryReadValue(value, out maxObjectSize),
                HelloParameter.ReceiveBudget => TryReadValue(value, out receiveBudget),
                HelloParameter.ReceiptLevel => TryReadValue(value, out receiptLevel) && receiptLevel <= 1,
                HelloParameter.Features => TryReadValue(value, out features),
                HelloParameter.MaxAntecedents =>
                    TryReadValue(value, out maxAntecedents) && maxAntecedents <= ProtocolLimits.MaxAntecedents,
                HelloParameter.MaxWaiting => TryReadValue(value, out maxWaiting),
                HelloParameter.AssociationId => TryReadAssociationId(value, out associationId),
                HelloParameter.Resumes => TryReadValue(value, out resumption) && resumption > 0,
                HelloParameter.LowestId => TryReadValue(value, out lowestId),
                HelloParameter.Held => HeldObjects.TryParse(value, out held),
                _ => FurtherAddresses.TryParse(value, out addresses),
            };
            if (!valid)
            {
                return false;
            }
        }

        // Resuming without saying what makes no sense, and neither do old ids or held objects without resuming.
        if ((resumption > 0 && associationId == UInt128.Zero) || (resumption == 0 && (lowestId != 0 || held.Count > 0)))
        {
            return false;
        }

        hello = new HelloFrame
        {
            MaxObjectSize = maxObjectSize,
            ReceiveBudget = receiveBudget,
            ReceiptsAfterProcessing = receiptLevel == 1,
            Features = (HelloFeatures)features,
            MaxAntecedents = maxAntecedents,
            MaxWaiting = maxWaiting,
            AssociationId = associationId,
            Resumption = resumption,
            LowestId = lowestId,
            Held = held,
            Addresses = addresses,
        };
        return true;
    }

    /// <summary>
    /// Writes the whole frame, without the parameters that have their default; returns the number of bytes written, at
    /// most <see cref="MaxLength"/>. A <paramref name="grease"/> other than zero picks a parameter that means nothing.
    /// </summary>
    public int Write(Span<byte> destination, ulong grease = 0)
    {
        var defaults = new HelloFrame();
        Span<byte> payload = stackalloc byte[MaxLength];
        var writer = new PostWriter(payload);
        WriteValue(ref writer, HelloParameter.MaxObjectSize, MaxObjectSize, defaults.MaxObjectSize);
        WriteValue(ref writer, HelloParameter.ReceiveBudget, ReceiveBudget, defaults.ReceiveBudget);
        WriteValue(ref writer, HelloParameter.ReceiptLevel, ReceiptsAfterProcessing ? 1 : 0, 0);
        WriteValue(ref writer, HelloParameter.Features, (long)Features, 0);
        WriteValue(ref writer, HelloParameter.MaxAntecedents, MaxAntecedents, defaults.MaxAntecedents);
        WriteValue(ref writer, HelloParameter.MaxWaiting, MaxWaiting, defaults.MaxWaiting);
        if (AssociationId != UInt128.Zero)
        {
            Span<byte> id = stackalloc byte[AssociationIdLength];
            BinaryPrimitives.WriteUInt128BigEndian(id, AssociationId);
            writer.WriteInteger(HelloParameter.AssociationId);
            writer.WriteInteger(AssociationIdLength);
            writer.WriteBytes(id);
        }

        WriteValue(ref writer, HelloParameter.Resumes, Resumption, 0);
        WriteValue(ref writer, HelloParameter.LowestId, LowestId, 0);
        if (Held.Count > 0)
        {
            writer.WriteInteger(HelloParameter.Held);
            writer.WriteInteger(Held.Length());
            Held.Write(ref writer);
        }

        if (Addresses.All.Count > 0)
        {
            writer.WriteInteger(HelloParameter.Addresses);
            writer.WriteInteger(Addresses.Length());
            Addresses.Write(ref writer);
        }

        if (grease != 0)
        {
            writer.WriteInteger(Grease.Pick(grease));
            writer.WriteInteger(1);
            writer.WriteInteger((long)(grease >> 58));
        }

        return ControlFrame.Write(destination, ControlFrameType.Hello, payload[..writer.Written]);
    }

    private static void WriteValue(ref PostWriter writer, long parameter, long value, long defaultValue)
    {
        if (value == defaultValue)
        {
            return;
        }

        writer.WriteInteger(parameter);
        writer.WriteInteger(PostInteger.Length(value));
        writer.WriteInteger(value);
    }

    private static bool TryReadValue(ReadOnlySpan<byte> value, out long integer) =>
        PostInteger.TryRead(value, out integer, out int consumed) && consumed == value.Length;

    private static bool TryReadAssociationId(ReadOnlySpan<byte> value, out UInt128 id)
    {
        id = value.Length == AssociationIdLength ? BinaryPrimitives.ReadUInt128BigEndian(value) : UInt128.Zero;
        return id != UInt128.Zero;
    }
}
