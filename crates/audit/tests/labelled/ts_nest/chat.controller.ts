import { Controller, Post, Body } from "@nestjs/common";

const rooms: string[] = []; // shared: shared_mutable

@Controller("chat")
export class ChatController {
  @Post("join")
  join(@Body() body: { room: string }) {
    rooms.push(body.room);
    return {};
  }
}
