namespace FileTransfer.Protocol;

/// <summary>What an object of the file protocol is. The first byte of its metadata.</summary>
internal enum MessageType : byte
{
    /// <summary>Asks for files (JSON <see cref="GetRequest"/>).</summary>
    Get = 1,

    /// <summary>Asks what there is (JSON <see cref="GetRequest"/>).</summary>
    List = 2,

    /// <summary>Offers files (JSON <see cref="PutOffer"/>).</summary>
    Offer = 3,

    /// <summary>Takes an offer, and says what is there already (JSON <see cref="PutGrant"/>).</summary>
    Grant = 4,

    /// <summary>Describes files that follow (JSON <see cref="Manifest"/>). The antecedent of their chunks.</summary>
    Manifest = 5,

    /// <summary>A piece of a file; its antecedent is the piece before it.</summary>
    Chunk = 6,

    /// <summary>One file cannot be sent (JSON <see cref="Failure"/>); the others go on.</summary>
    FileFailed = 7,

    /// <summary>All was sent, and the receiver's receipts are in (JSON <see cref="Done"/>).</summary>
    Done = 8,

    /// <summary>The request is refused (JSON <see cref="Failure"/>).</summary>
    Refused = 9,

    /// <summary>How far the sender is (JSON <see cref="SenderProgress"/>); short-lived: late news is no news.</summary>
    Progress = 10,
}
