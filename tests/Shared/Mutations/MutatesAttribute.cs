namespace Post.Quic.Testing.Mutations;

/// <summary>The test, each of its data rows, runs <see cref="MutationBudget.InputsOfOneTest"/> inputs of the room.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MutatesAttribute(MutationRoom room) : Attribute
{
    public MutationRoom Room { get; } = room;
}
