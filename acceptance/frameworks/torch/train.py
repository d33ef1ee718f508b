"""Fits y = 3x + 1 on every process's own points; gradients are averaged by Gloo. The first process saves the model as TorchScript."""
import os

import torch
import torch.distributed as dist

dist.init_process_group("gloo")
rank, count = dist.get_rank(), dist.get_world_size()
total = torch.tensor([float(rank + 1)])
dist.all_reduce(total)
print(f"rank {rank} of {count} on {os.environ['SM_CURRENT_HOST']}: the ranks add up to {total.item():.0f}", flush=True)

torch.manual_seed(rank)
x = torch.rand(200, 1)
y = 3 * x + 1
torch.manual_seed(0)
model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
for _ in range(300):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(x), y).backward()
    for parameter in model.parameters():
        dist.all_reduce(parameter.grad)
        parameter.grad /= count
    optimizer.step()
if rank == 0:
    torch.jit.script(model).save(os.path.join(os.environ["SM_MODEL_DIR"], "model.pt"))
dist.barrier()
